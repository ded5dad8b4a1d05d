import * as oidc from 'openid-client';
import { publicPart, run, signingKey } from './flow.mjs';
import { settings } from './steps.mjs';

// The server of the test is on this machine, without TLS.
const options = { execute: [oidc.allowInsecureRequests], algorithm: 'oauth2' };
const server = new URL(settings.issuer);

async function as({ client_id, key }) {
  return oidc.discovery(server, client_id, {}, oidc.PrivateKeyJwt(await signingKey(key)), options);
}

await run({
  discover: async () => (await oidc.discovery(server, 'nobody', {}, oidc.None(), options)).serverMetadata(),

  token: async (client, scope) => oidc.clientCredentialsGrant(await as(client), { scope }),

  register: async (initialAccessToken, metadata, key) => {
    const registered = await oidc.dynamicClientRegistration(
      server,
      { ...metadata, jwks: { keys: [publicPart(key)] } },
      oidc.PrivateKeyJwt(await signingKey(key)),
      { ...options, initialAccessToken },
    );
    return registered.clientMetadata();
  },

  introspect: async (client, token) => oidc.tokenIntrospection(await as(client), token),

  revoke: async (client, token) => oidc.tokenRevocation(await as(client), token),

  manage: async (client, registration, method, metadata) => {
    const answer = await oidc.fetchProtectedResource(
      await as(client),
      registration.registration_access_token,
      new URL(registration.registration_client_uri),
      method,
      metadata && JSON.stringify(metadata),
      new Headers(metadata && { 'content-type': 'application/json' }),
    );
    return { status: answer.status, body: answer.status === 204 ? null : await answer.json() };
  },
});
