// SPDX-License-Identifier: Apache-2.0
//
// A stand-in for what ntsd meets in AWS, on loopback:
//
//   service    Secrets Manager over HTTP and HTTPS (and HTTPS with a certificate for another name);
//              each request is signed again by the official signer and compared
//   metadata   the instance metadata service, version 2
//   agent      the workload credentials provider
//   control    what the test wants: POST /COMMAND?NAME=VALUE..., answered by "ok" or by JSON
//
//     fault?on=service|metadata|agent&kind=KIND[&count=N][&after=N]   faults.mjs has the kinds; count:
//                      so many answers (default: until told otherwise), after: not those before
//     calm             no faults
//     refuse?on=..., accept?on=...    the port is closed, opened again
//     secret           the body becomes the current version, unchecked
//     size?octets=N    a value of that many octets does
//     credentials?ttl=N, expire, forget     see metadata.mjs
//     sign?secret=X    from now on signatures of the environment's key are wanted with this secret
//     clock?ahead=N    the service's clock, in seconds ahead of this host's
//     agent-token      the agent gets a new token, its file too
//     journal          how often each verdict was given: {"service":{"ok":3},...}; begins anew
//
// fixture.mjs DIR: DIR/server.pem, DIR/server.key, DIR/other.pem and DIR/other.key are there;
// DIR/agent.token and, once all listens, DIR/ports are written: lines of NAME=PORT.
import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { faults } from './faults.mjs';
import { Credentials, Metadata } from './metadata.mjs';
import { Secret } from './secrets.mjs';
import { checkSignature, Refused } from './signature.mjs';

const DIR = process.argv[2];
const REGION = 'eu-west-1';
const ARN = `arn:aws:secretsmanager:${REGION}:123456789012:secret:ntsd/fleet-AbCdEf`;
const JSON_TYPE = 'application/x-amz-json-1.1';
const ENVIRONMENT_KEY = 'AKIDFROMENVIRONMENT1';

const credentials = new Credentials();
const metadata = new Metadata(credentials);
const secret = new Secret(ARN, '{"first":"value"}\n');
let clockAheadMs = 0;
let agentToken = '';
let active = {}; // part -> {kind, count, after}
let journal = {};

function record(part, verdict) {
  journal[part] ??= {};
  journal[part][verdict] = (journal[part][verdict] ?? 0) + 1;
}

// The fault that this request of a part meets, if any.
function takeFault(part) {
  const fault = active[part];
  if (!fault) return null;
  if (fault.after > 0) {
    fault.after -= 1;
    return null;
  }
  fault.count -= 1;
  if (fault.count <= 0) delete active[part];
  return faults[fault.kind];
}

// ---- the service

function act(request) {
  const target = request.headers['x-amz-target'] ?? '';
  const [, action] = /^secretsmanager\.(GetSecretValue|PutSecretValue)$/.exec(target) ?? [];
  if (request.headers['content-type'] !== JSON_TYPE || request.method !== 'POST' || request.url !== '/') {
    throw new Refused('SerializationException', 'not a request of this protocol');
  }
  if (!action) throw new Refused('UnknownOperationException', target);
  return secret[action](JSON.parse(request.body.toString()));
}

async function serviceAnswer(request) {
  try {
    await checkSignature(request, {
      lookup: (id) => credentials.lookup(id),
      now: new Date(Date.now() + clockAheadMs),
      region: REGION,
      service: 'secretsmanager',
    });
    const text = JSON.stringify(act(request));
    record('service', 'ok');
    return { status: 200, type: JSON_TYPE, text };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    record('service', error.type);
    return { status: 400, type: JSON_TYPE, text: JSON.stringify({ __type: error.type, message: error.message }) };
  }
}

// ---- the metadata service and the agent

async function metadataAnswer(request) {
  const [status, text] = metadata.answer(request);
  record('metadata', `${request.method} ${status}`);
  return { status, type: 'text/plain', text };
}

function agentValue(url) {
  if (url.pathname !== '/secretsmanager/get') return [404, 'Not found'];
  try {
    const value = secret.GetSecretValue({ SecretId: url.searchParams.get('secretId') });
    return [200, JSON.stringify({ ...value, CreatedDate: String(value.CreatedDate) })];
  } catch (error) {
    return [400, JSON.stringify({ __type: error.type, message: error.message })];
  }
}

async function agentAnswer(request) {
  let [status, text] = agentValue(new URL(request.url, 'http://localhost'));
  if (request.headers['x-forwarded-for']) [status, text] = [400, 'Forwarded'];
  if (request.headers['x-aws-parameters-secrets-token'] !== agentToken) [status, text] = [403, 'Bad Token'];
  if (request.method !== 'GET') [status, text] = [405, 'Not allowed'];
  record('agent', String(status));
  return { status, type: 'text/plain', text };
}

function renewAgentToken() {
  agentToken = randomBytes(32).toString('hex');
  writeFileSync(`${DIR}/agent.token`, agentToken, { mode: 0o644 });
}

// ---- control

const commands = {
  fault({ on, kind, count = Infinity, after = 0 }) {
    if (!faults[kind]) throw new Error(`no fault ${kind}`);
    active[on] = { kind, count: Number(count), after: Number(after) };
  },
  calm() {
    active = {};
    clockAheadMs = 0;
  },
  async refuse({ on }) {
    await Promise.all(listeners[on].map((l) => l.close()));
  },
  async accept({ on }) {
    await Promise.all(listeners[on].map((l) => l.open()));
  },
  secret(_, body) {
    secret.put(randomBytes(16).toString('hex'), body.toString());
  },
  size({ octets }) {
    const frame = JSON.stringify({ pad: '' });
    secret.put(randomBytes(16).toString('hex'), JSON.stringify({ pad: 'x'.repeat(octets - frame.length) }));
  },
  credentials({ ttl }) {
    credentials.ttl = Number(ttl);
    credentials.renew();
  },
  expire: () => credentials.expire(),
  forget: () => credentials.forget(),
  sign({ secret: secretAccessKey }) {
    credentials.known.set(ENVIRONMENT_KEY, { secretAccessKey });
  },
  clock({ ahead }) {
    clockAheadMs = Number(ahead) * 1000;
  },
  'agent-token': renewAgentToken,
  journal() {
    const said = journal;
    journal = {};
    return said;
  },
};

async function controlAnswer(request) {
  const url = new URL(request.url, 'http://localhost');
  const command = commands[url.pathname.slice(1)];
  if (!command) return { status: 404, type: 'text/plain', text: 'no such command' };
  const result = await command(Object.fromEntries(url.searchParams), request.body);
  return { status: 200, type: 'text/plain', text: result ? JSON.stringify(result) : 'ok' };
}

// ---- listening

async function readRequest(incoming) {
  const parts = [];
  for await (const part of incoming) parts.push(part);
  const { method, url, headers } = incoming;
  return { method, url, headers, body: Buffer.concat(parts) };
}

const answers = {
  service: serviceAnswer,
  metadata: metadataAnswer,
  agent: agentAnswer,
  control: controlAnswer,
};

async function serve(part, incoming, res) {
  try {
    const request = await readRequest(incoming);
    const fault = takeFault(part);
    if (fault) record(part, 'fault');
    if (fault?.before) return fault.act(res, null, request);
    const answer = await answers[part](request);
    if (fault) return fault.act(res, answer, request);
    res.writeHead(answer.status, { 'content-type': answer.type, 'content-length': Buffer.byteLength(answer.text) });
    res.end(answer.text);
  } catch (error) {
    // A client that hung up is no error of ours; anything else the test should see.
    if (error.code !== 'ECONNRESET') console.error(`${part}: ${error.stack}`);
    res.destroy();
  }
}

// A port that can be closed and opened again.
class Listener {
  constructor(part, tls) {
    this.port = 0;
    const handler = (incoming, res) => serve(part, incoming, res);
    this.server = tls ? https.createServer(tls, handler) : http.createServer(handler);
    this.server.on('clientError', (error, socket) => socket.destroy());
  }

  async open() {
    await new Promise((done) => this.server.listen(this.port, '127.0.0.1', done));
    this.port = this.server.address().port;
  }

  async close() {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }
}

const pair = (name) => ({
  cert: readFileSync(`${DIR}/${name}.pem`),
  key: readFileSync(`${DIR}/${name}.key`),
});
const old = { ...pair('server'), minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' };
const named = {
  SERVICE_HTTP: new Listener('service'),
  SERVICE_HTTPS: new Listener('service', pair('server')),
  SERVICE_OTHER_NAME: new Listener('service', pair('other')),
  SERVICE_OLD_TLS: new Listener('service', old),
  METADATA: new Listener('metadata'),
  AGENT: new Listener('agent'),
  CONTROL: new Listener('control'),
};
const listeners = {
  service: [named.SERVICE_HTTP, named.SERVICE_HTTPS],
  metadata: [named.METADATA],
  agent: [named.AGENT],
};

credentials.renew();
renewAgentToken();
for (const listener of Object.values(named)) await listener.open();
const lines = Object.entries(named).map(([name, { port }]) => `AWS_FIXTURE_${name}=${port}\n`);
writeFileSync(`${DIR}/ports.new`, `${lines.join('')}AWS_FIXTURE_ARN=${ARN}\n`);
renameSync(`${DIR}/ports.new`, `${DIR}/ports`);
process.on('SIGTERM', () => process.exit(0));
