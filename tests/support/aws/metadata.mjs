// SPDX-License-Identifier: Apache-2.0
//
// The credentials there are, and the instance metadata service (version 2) that hands out those of
// the role: valid for as long as told, the same until they are renewed.
import { randomBytes } from 'node:crypto';

export const ROLE = 'ntsd-instance';
const PREFIX = '/latest/meta-data/iam/security-credentials/';

const word = (n) => randomBytes(n).toString('base64');

export class Credentials {
  constructor() {
    this.known = new Map(); // access key id -> {secretAccessKey, sessionToken, expires}
    this.role = null;
    this.ttl = 6 * 3600;
    this.known.set('AKIDFROMENVIRONMENT1', { secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYtestonly000' });
  }

  lookup(accessKeyId) {
    return this.known.get(accessKeyId);
  }

  // New ones for the role; those from before stay valid until they expire.
  renew() {
    this.role = `ASIA${randomBytes(8).toString('hex').toUpperCase()}`;
    this.known.set(this.role, {
      secretAccessKey: word(30),
      sessionToken: word(750), // as long as real ones, with + / =
      expires: new Date(Date.now() + this.ttl * 1000),
    });
  }

  expire() {
    for (const [, c] of this.known) if (c.expires) c.expires = new Date(Date.now() - 1000);
  }

  // As if they had never been: the service does not know them any more.
  forget() {
    this.known.delete(this.role);
  }

  json() {
    const c = this.known.get(this.role);
    return JSON.stringify({
      Code: 'Success',
      LastUpdated: new Date().toISOString().replace(/\.\d+/, ''),
      Type: 'AWS-HMAC',
      AccessKeyId: this.role,
      SecretAccessKey: c.secretAccessKey,
      Token: c.sessionToken,
      Expiration: c.expires.toISOString().replace(/\.\d+/, ''),
    });
  }
}

export class Metadata {
  constructor(credentials) {
    this.credentials = credentials;
    this.tokens = new Map(); // token -> when it ends
  }

  takeToken(request) {
    const ttl = Number(request.headers['x-aws-ec2-metadata-token-ttl-seconds']);
    if (request.headers['x-forwarded-for']) return [403, ''];
    if (!(ttl >= 1 && ttl <= 21600)) return [400, ''];
    const token = word(40);
    this.tokens.set(token, Date.now() + ttl * 1000);
    return [200, token];
  }

  // [status, text]
  answer(request) {
    if (request.method === 'PUT' && request.url === '/latest/api/token') return this.takeToken(request);
    if (!(this.tokens.get(request.headers['x-aws-ec2-metadata-token']) > Date.now())) return [401, ''];
    if (request.method !== 'GET') return [405, ''];
    if (request.url === PREFIX) return [200, ROLE];
    if (request.url !== PREFIX + ROLE) return [404, ''];
    const role = this.credentials.lookup(this.credentials.role);
    if (!role || role.expires <= Date.now()) this.credentials.renew();
    return [200, this.credentials.json()];
  }
}
