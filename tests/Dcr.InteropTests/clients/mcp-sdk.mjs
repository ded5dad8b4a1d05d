// The MCP TypeScript SDK on both sides: its client gets in at an MCP server, made with it too, which asks Dcr what a
// token is worth. RFC 7009, 7592 and 7662 are no part of the SDK: a developer writes those with fetch.
import assert from 'node:assert/strict';
import { createPrivateKeyJwtAuth, PrivateKeyJwtProvider } from '@modelcontextprotocol/sdk/client/auth-extensions.js';
import { discoverAuthorizationServerMetadata, fetchToken, registerClient } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js';
import { InvalidTokenError } from '@modelcontextprotocol/sdk/server/auth/errors.js';
import { getOAuthProtectedResourceMetadataUrl, mcpAuthMetadataRouter } from '@modelcontextprotocol/sdk/server/auth/router.js';
import { createMcpExpressApp } from '@modelcontextprotocol/sdk/server/express.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { publicPart, run } from './flow.mjs';
import { settings } from './steps.mjs';

let metadata;
const mcp = new URL(settings.mcp_server);

function provider({ client_id, key }, scope) {
  return new PrivateKeyJwtProvider({ clientId: client_id, privateKey: key, algorithm: 'ES256', scope, expectedIssuer: settings.issuer });
}

const library = {
  discover: async () => (metadata = await discoverAuthorizationServerMetadata(settings.issuer)),

  token: (client, scope) => fetchToken(provider(client, scope), settings.issuer, { metadata }),

  register: (initialAccessToken, wanted, key) => {
    // All that the SDK does not keep of the answer: it reads only what it knows.
    let whole;
    const withToken = async (url, init) => {
      const answer = await fetch(url, { ...init, headers: { ...init.headers, authorization: `Bearer ${initialAccessToken}` } });
      whole = await answer.clone().json();
      return answer;
    };
    const clientMetadata = { ...wanted, redirect_uris: [], resources: [mcp.href], jwks: { keys: [publicPart(key)] } };
    return registerClient(settings.issuer, { metadata, clientMetadata, fetchFn: withToken }).then((known) => ({ ...whole, ...known }));
  },

  call: async (client) => {
    const server = await listen();
    const agent = new Client({ name: 'agent', version: '1.0.0' });
    try {
      await agent.connect(new StreamableHTTPClientTransport(mcp, { authProvider: provider(client, 'read') }));
      const { content } = await agent.callTool({ name: 'whoami' });
      assert.equal(content[0].text, client.client_id);
    } finally {
      await agent.close();
      await new Promise((closed) => server.close(closed));
    }
  },

  introspect: (client, token) => post(metadata.introspection_endpoint, client, { token }).then((answer) => answer.json()),

  revoke: (client, token) => post(metadata.revocation_endpoint, client, { token }),

  manage: async (_, { registration_client_uri, registration_access_token }, method, body) => {
    const answer = await fetch(registration_client_uri, {
      method,
      headers: { authorization: `Bearer ${registration_access_token}`, ...(body && { 'content-type': 'application/json' }) },
      body: body && JSON.stringify(body),
    });
    return { status: answer.status, body: answer.status === 204 ? null : await answer.json() };
  },
};

/** With an assertion as the SDK writes it. */
async function post(endpoint, { client_id, key }, parameters) {
  const form = new URLSearchParams(parameters);
  const authenticate = createPrivateKeyJwtAuth({ issuer: client_id, subject: client_id, privateKey: key, alg: 'ES256' });
  await authenticate(new Headers(), form, new URL(endpoint), metadata);
  const answer = await fetch(endpoint, { method: 'POST', body: form });
  assert.equal(answer.status, 200, await answer.clone().text());
  return answer;
}

/** An MCP server with one tool, which says who calls. */
function listen() {
  const verifyAccessToken = async (token) => {
    const { active, client_id, scope, exp, aud } = await library.introspect(settings.api, token);
    if (!active) {
      throw new InvalidTokenError('The token is not active');
    }
    return { token, clientId: client_id, scopes: scope.split(' '), expiresAt: exp, resource: new URL(aud) };
  };
  const resourceMetadataUrl = getOAuthProtectedResourceMetadataUrl(mcp);
  const app = createMcpExpressApp();
  app.use(mcpAuthMetadataRouter({ oauthMetadata: metadata, resourceServerUrl: mcp, scopesSupported: ['read'] }));
  app.all(
    mcp.pathname,
    requireBearerAuth({ verifier: { verifyAccessToken }, requiredScopes: ['read'], resourceMetadataUrl, expectedResource: mcp }),
    async (request, response) => {
      const server = new McpServer({ name: 'warehouse', version: '1.0.0' });
      server.registerTool('whoami', {}, ({ authInfo }) => ({ content: [{ type: 'text', text: authInfo.clientId }] }));
      const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined, enableJsonResponse: true });
      response.on('close', () => server.close());
      await server.connect(transport);
      await transport.handleRequest(request, response, request.body);
    },
  );
  return new Promise((ready, fault) => {
    const server = app.listen(Number(mcp.port), mcp.hostname, () => ready(server));
    server.on('error', fault);
  });
}

await run(library);
