import * as oauth from 'oauth4webapi';
import { publicPart, run, signingKey } from './flow.mjs';
import { settings } from './steps.mjs';

// The server of the test is on this machine, without TLS.
const options = { [oauth.allowInsecureRequests]: true };
const issuer = new URL(settings.issuer);
const discover = async () =>
  oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { ...options, algorithm: 'oauth2' }));
const server = discover();
// A fault of discovery belongs to its step.
server.catch(() => {});

const identity = ({ client_id }) => ({ client_id });
const proof = async ({ key }) => oauth.PrivateKeyJwt(await signingKey(key));

await run({
  discover: () => server,

  token: async (client, scope) => {
    const as = await server;
    const answer = await oauth.clientCredentialsGrantRequest(as, identity(client), await proof(client), { scope }, options);
    return oauth.processClientCredentialsResponse(as, identity(client), answer);
  },

  verify: async (accessToken) => {
    const request = new Request('https://api.example/orders', { headers: { authorization: `Bearer ${accessToken}` } });
    return oauth.validateJwtAccessToken(await server, request, settings.issuer, options);
  },

  register: async (initialAccessToken, metadata, key) =>
    oauth.processDynamicClientRegistrationResponse(
      await oauth.dynamicClientRegistrationRequest(
        await server,
        { ...metadata, jwks: { keys: [publicPart(key)] } },
        { ...options, initialAccessToken },
      ),
    ),

  introspect: async (client, token) => {
    const as = await server;
    const answer = await oauth.introspectionRequest(as, identity(client), await proof(client), token, options);
    return oauth.processIntrospectionResponse(as, identity(client), answer);
  },

  revoke: async (client, token) =>
    oauth.processRevocationResponse(await oauth.revocationRequest(await server, identity(client), await proof(client), token, options)),

  manage: async (client, registration, method, metadata) => {
    const answer = await oauth.protectedResourceRequest(
      registration.registration_access_token,
      method,
      new URL(registration.registration_client_uri),
      new Headers(metadata && { 'content-type': 'application/json' }),
      metadata && JSON.stringify(metadata),
      options,
    );
    return { status: answer.status, body: answer.status === 204 ? null : await answer.json() };
  },
});
