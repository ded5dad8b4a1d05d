// What a client does with the server in its life. A library is what its script makes of it:
//   discover()                         the server's metadata
//   token(client, scope)               a token by client_credentials; client: { client_id, key (a private JWK) }
//   verify(accessToken)                what an API learns from the token (optional)
//   call(client)                       an API of the library's own, called with a token of the client's (optional)
//   register(initialToken, metadata, key)   the answer of RFC 7591; key: a private JWK whose public part is registered
//   introspect(client, token)          the answer of RFC 7662
//   revoke(client, token)              RFC 7009
//   manage(client, registration, method, metadata)   { status, body } of RFC 7592
import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import { end, refused, settings, step } from './steps.mjs';

export async function run(library) {
  await step('discovery', async () => {
    const server = await library.discover();
    assert.equal(server.issuer, settings.issuer);
    assert.equal(server.registration_endpoint, `${settings.issuer}/oauth/register`);
  });

  const initial = await step('initial token', async () => {
    const token = await library.token(settings.onboarding, 'dcr');
    assert.equal(token.scope, 'dcr');
    return token;
  });

  const key = await newKey();
  const wanted = {
    client_name: 'Warehouse 7',
    token_endpoint_auth_method: 'private_key_jwt',
    grant_types: ['client_credentials'],
    scope: 'read',
  };
  let registration = await step(
    'registration',
    async () => {
      const answer = await library.register(initial.access_token, wanted, key);
      assert.equal(answer.client_name, wanted.client_name);
      assert.equal(answer.client_secret, undefined);
      assert.deepEqual(answer.jwks.keys.map(({ kid, d }) => ({ kid, d })), [{ kid: key.kid, d: undefined }]);
      assert.ok(answer.registration_access_token);
      return answer;
    },
    ({ client_id }) => ({ client_id }),
  );
  const client = { client_id: registration.client_id, key };

  const token = await step('own token', async () => {
    const answer = await library.token(client, 'read');
    assert.equal(answer.token_type.toLowerCase(), 'bearer');
    assert.ok(answer.expires_in > 0);
    const claims = await library.verify?.(answer.access_token);
    assert.ok(!claims || (claims.client_id === client.client_id && claims.scope === 'read'));
    return answer.access_token;
  });

  if (library.call) {
    await step('call', () => library.call(client));
  }

  await step('introspection', async () => {
    const seen = await library.introspect(settings.api, token);
    assert.equal(seen.active, true);
    assert.equal(seen.client_id, client.client_id);
    assert.equal(seen.scope, 'read');
  });

  await step('revocation', async () => {
    await library.revoke(client, token);
    assert.deepEqual(await library.introspect(settings.api, token), { active: false });
  });

  await step('read', async () => {
    const { status, body } = await library.manage(client, registration, 'GET');
    assert.equal(status, 200);
    assert.equal(body.client_id, client.client_id);
    assert.equal(body.client_name, wanted.client_name);
  });

  const before = registration;
  registration = await step('update', async () => {
    const { status, body } = await library.manage(client, registration, 'PUT', replacement(registration));
    assert.equal(status, 200);
    assert.equal(body.client_name, 'Warehouse 8');
    assert.notEqual(body.registration_access_token, before.registration_access_token);
    assert.equal((await library.manage(client, body, 'GET')).body.client_name, 'Warehouse 8');
    await refused('invalid_token', () => library.manage(client, before, 'GET'));
    assert.ok((await library.token(client, 'read write')).access_token);
    return body;
  });

  await step('delete', async () => {
    assert.equal((await library.manage(client, registration, 'DELETE')).status, 204);
    await refused('invalid_client', () => library.token(client, 'read'));
    await refused('invalid_token', () => library.manage(client, registration, 'GET'));
  });

  end();
}

/** RFC 7592 section 2.2: all of the metadata, without what the server alone may say. */
function replacement({ registration_access_token, registration_client_uri, client_id_issued_at, client_secret_expires_at, ...metadata }) {
  return { ...metadata, client_name: 'Warehouse 8', scope: 'read write' };
}

/** @returns {Promise<JsonWebKey>} private, for ES256. */
export async function newKey() {
  const pair = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const { kty, crv, x, y, d } = await webcrypto.subtle.exportKey('jwk', pair.privateKey);
  return { kty, crv, x, y, d, kid: 'own-1', use: 'sig', alg: 'ES256' };
}

export function publicPart({ d, ...jwk }) {
  return jwk;
}

/** For libraries that sign with WebCrypto. */
export async function signingKey({ kid, kty, crv, x, y, d }) {
  const key = await webcrypto.subtle.importKey('jwk', { kty, crv, x, y, d }, { name: 'ECDSA', namedCurve: crv }, false, ['sign']);
  return { key, kid };
}
