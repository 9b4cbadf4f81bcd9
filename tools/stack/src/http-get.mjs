import { get } from 'node:http';

/** Status and body of an answer; status 0 where none came within `timeoutMs`. No connection is kept. */
export const httpGet = (url, { headers = {}, timeoutMs = 5_000 } = {}) =>
  new Promise((resolve) => {
    const none = () => resolve({ status: 0, body: '' });
    const request = get(url, { agent: false, headers, timeout: timeoutMs }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode, body })).on('error', none);
    });
    request.on('timeout', () => request.destroy()).on('error', none);
  });
