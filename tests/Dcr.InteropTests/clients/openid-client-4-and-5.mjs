// openid-client 4 and 5, whose interface is the same as far as it is used here.
import { run } from './flow.mjs';
import { settings } from './steps.mjs';

export async function runWith(Issuer) {
  let server;
  // Without this option both versions send [issuer, token_endpoint] as the audience of an assertion.
  const options = settings.strict_audience ? { clientAssertionPayload: { aud: settings.issuer } } : {};
  const jwks = ({ key }) => ({ keys: [key] });
  const as = (client) =>
    new server.Client({ client_id: client.client_id, token_endpoint_auth_method: 'private_key_jwt' }, jwks(client));

  await run({
    discover: async () => (server = await Issuer.discover(settings.issuer)).metadata,

    token: (client, scope) => as(client).grant({ grant_type: 'client_credentials', scope }, options),

    register: async (initialAccessToken, metadata, key) =>
      (await server.Client.register({ ...metadata }, { initialAccessToken, jwks: jwks({ key }) })).metadata,

    introspect: (client, token) => as(client).introspect(token, 'access_token', options),

    revoke: (client, token) => as(client).revoke(token, 'access_token', options),

    manage: async (client, registration, method, metadata) => {
      const { registration_client_uri: uri, registration_access_token: token } = registration;
      if (method === 'GET') {
        return { status: 200, body: (await server.Client.fromUri(uri, token, jwks(client))).metadata };
      }
      const answer = await as(client).requestResource(uri, token, {
        method,
        headers: metadata && { 'content-type': 'application/json' },
        body: metadata && JSON.stringify(metadata),
      });
      return { status: answer.statusCode, body: answer.body?.length > 0 ? JSON.parse(answer.body.toString()) : null };
    },
  });
}
