// SPDX-License-Identifier: Apache-2.0
//
// Judges the signature of a request (AWS Signature Version 4) by signing it once more with the
// official signer and comparing. The packages lie outside the source tree, in $AWS_FIXTURE_MODULES.
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';

const require = createRequire(`${process.env.AWS_FIXTURE_MODULES}/`);
const { SignatureV4 } = require('@smithy/signature-v4');
const { HttpRequest } = require('@smithy/protocol-http');
const { Sha256 } = require('@aws-crypto/sha256-js');

const SKEW_MAX_S = 300;
const FORM =
  /^AWS4-HMAC-SHA256 Credential=([^/, ]+)\/(\d{8})\/([^/, ]+)\/([^/, ]+)\/aws4_request, ?SignedHeaders=([^, ]+), ?Signature=([0-9a-f]{64})$/;

export class Refused extends Error {
  constructor(type, message) {
    super(message);
    this.type = type;
  }
}

// "20260301T120000Z" as a Date.
function dateOf(stamp) {
  const m = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(stamp ?? '');
  if (!m) throw new Refused('IncompleteSignatureException', 'x-amz-date is missing or malformed');
  return new Date(Date.UTC(m[1], m[2] - 1, m[3], m[4], m[5], m[6]));
}

// The parts of the Authorization header, each as far as the other headers have to agree with it.
function scopeOf(headers, expected) {
  const m = FORM.exec(headers.authorization ?? '');
  if (!headers.authorization) {
    throw new Refused('MissingAuthenticationTokenException', 'Missing Authentication Token');
  }
  if (!m) throw new Refused('IncompleteSignatureException', 'Authorization is malformed');
  const [, accessKeyId, day, region, service, names, signature] = m;
  if (region !== expected.region || service !== expected.service) {
    throw new Refused('InvalidSignatureException', `Credential should be scoped to ${expected.region}`);
  }
  if (day !== headers['x-amz-date']?.slice(0, 8)) {
    throw new Refused('InvalidSignatureException', 'Date in Credential scope does not match x-amz-date');
  }
  return { accessKeyId, names: names.split(';'), signature };
}

// All that has to be signed is, and in order.
function checkNames(names, headers) {
  const must = Object.keys(headers).filter((name) => name.startsWith('x-amz-'));
  for (const name of ['host', 'content-type', ...must]) {
    if (!names.includes(name)) throw new Refused('InvalidSignatureException', `${name} is not signed`);
  }
  if ([...names].sort().join() !== names.join() || new Set(names).size !== names.length) {
    throw new Refused('InvalidSignatureException', 'SignedHeaders are not in order');
  }
}

async function signAgain(request, names, credentials, expected) {
  const signed = Object.fromEntries(names.map((name) => [name, request.headers[name] ?? '']));
  const [path, query] = request.url.split('?');
  const again = new HttpRequest({
    method: request.method,
    protocol: 'https:',
    hostname: request.headers.host,
    path,
    query: Object.fromEntries(new URLSearchParams(query ?? '')),
    headers: signed,
    body: request.body,
  });
  const signer = new SignatureV4({ credentials, ...expected, sha256: Sha256, applyChecksum: false });
  const result = await signer.sign(again, { signingDate: dateOf(request.headers['x-amz-date']) });
  return FORM.exec(result.headers.authorization);
}

// Throws Refused, or returns the access key id. `lookup(accessKeyId)` gives
// {secretAccessKey, sessionToken, expires} or nothing; `now` is the service's clock, a Date.
export async function checkSignature(request, { lookup, now, ...expected }) {
  const { headers } = request;
  const { accessKeyId, names, signature } = scopeOf(headers, expected);
  const known = lookup(accessKeyId);
  if (!known || (known.sessionToken ?? undefined) !== headers['x-amz-security-token']) {
    throw new Refused('UnrecognizedClientException', 'The security token included in the request is invalid.');
  }
  if (known.expires && known.expires <= now) {
    throw new Refused('ExpiredTokenException', 'The security token included in the request is expired');
  }
  checkNames(names, headers);
  const date = dateOf(headers['x-amz-date']);
  if (Math.abs(now - date) / 1000 > SKEW_MAX_S) {
    throw new Refused('InvalidSignatureException', `Signature expired: ${headers['x-amz-date']} is not now`);
  }
  const hash = headers['x-amz-content-sha256'];
  if (hash && hash !== createHash('sha256').update(request.body).digest('hex')) {
    throw new Refused('InvalidSignatureException', 'x-amz-content-sha256 is not that of the body');
  }
  const again = await signAgain(request, names, { accessKeyId, ...known, expiration: undefined }, expected);
  if (!again || again[5] !== names.join(';') || again[6] !== signature) {
    throw new Refused(
      'InvalidSignatureException',
      'The request signature we calculated does not match the signature you provided. Check your AWS ' +
        'Secret Access Key and signing method.',
    );
  }
  return accessKeyId;
}
