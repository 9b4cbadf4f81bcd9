// An issuer of OAuth2 tokens by client credentials, for tests: its tokens are those of the Pulsar whose key it has.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { tokenBy } from './tokens.mjs';

const readBody = async (request) => {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  return text;
};

function parsed(text) {
  try {
    return Object(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Listens on loopback and does not keep the process alive. `expiresInSeconds` of each token is asked anew. */
export async function startTokenIssuer({ keyFile, role, clientId, clientSecret, expiresInSeconds = () => 3_600 }) {
  let issued = 0;
  const serve = async (request, response) => {
    const answer = (status, body) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    const url = `http://127.0.0.1:${server.address().port}`;
    if (request.url === '/.well-known/openid-configuration')
      return answer(200, { issuer: url, token_endpoint: `${url}/oauth/token` });
    if (request.url !== '/oauth/token' || request.method !== 'POST') return answer(404, { error: 'not_found' });
    const text = await readBody(request);
    const isJson = request.headers['content-type']?.includes('json') === true;
    const given = isJson ? parsed(text) : Object.fromEntries(new URLSearchParams(text));
    if (given === undefined) return answer(400, { error: 'invalid_request' });
    const [user = '', password = ''] = Buffer.from(
      request.headers.authorization?.replace(/^Basic /, '') ?? '',
      'base64',
    )
      .toString()
      .split(':');
    const id = given.client_id ?? decodeURIComponent(user);
    const secret = given.client_secret ?? decodeURIComponent(password);
    if (given.grant_type !== 'client_credentials') return answer(400, { error: 'unsupported_grant_type' });
    if (id !== clientId || secret !== clientSecret) return answer(401, { error: 'invalid_client' });
    issued += 1;
    const expires = expiresInSeconds();
    const access_token = tokenBy(keyFile, { role, expiresInSeconds: expires });
    return answer(200, { access_token, token_type: 'Bearer', expires_in: expires });
  };
  const server = createServer((request, response) => {
    serve(request, response).catch((error) => response.destroy(error));
  });
  server.listen(0, '127.0.0.1').unref();
  await once(server, 'listening');
  const issuerUrl = `http://127.0.0.1:${server.address().port}`;
  return {
    issuerUrl,
    tokenUrl: `${issuerUrl}/oauth/token`,
    clientId,
    clientSecret,
    get issued() {
      return issued;
    },
    stop: async () => {
      server.closeAllConnections();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
  };
}
