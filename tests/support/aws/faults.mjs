// SPDX-License-Identifier: Apache-2.0
//
// What can go wrong with an answer: each function gets the response, the answer that would have been
// given as {status, type, text}, and the request. `before`: it comes before the request is judged,
// so no signature is looked at.
const refusal = (status, type, message) => (res) => {
  res.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' });
  res.end(JSON.stringify({ __type: type, message }));
};

const send = (res, { status, type, text }) => {
  res.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) });
  res.end(text);
};

// One octet every tenth of a second, for ever.
function drip(res, answer) {
  const octets = Buffer.from(answer.text.padEnd(4096));
  let next = 0;
  res.writeHead(200, { 'content-type': answer.type });
  const timer = setInterval(() => {
    res.write(octets.subarray(next % octets.length, (next % octets.length) + 1));
    next += 1;
  }, 100);
  res.on('close', () => clearInterval(timer));
}

// As much as is taken, without a length.
function endless(res) {
  const block = Buffer.alloc(65536, '{"SecretString":');
  const fill = () => {
    while (!res.destroyed && res.write(block));
  };
  res.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' });
  res.on('drain', fill);
  fill();
}

// More is promised than comes.
function cut(res, { status, type, text }) {
  res.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) });
  res.write(text.slice(0, text.length / 2), () => res.socket.end());
}

// Everything that was sent is said back: headers, signature, session token.
function echo(res, answer, request) {
  const said = Object.entries(request.headers).sort().map(([k, v]) => `${k}:${v}`).reverse().join(' ');
  refusal(400, 'InvalidSignatureException', said)(res);
}

export const faults = {
  throttle: { act: refusal(400, 'com.amazonaws.secretsmanager#ThrottlingException', 'Rate exceeded') },
  throttled: { act: refusal(400, 'ThrottlingException', 'Rate exceeded') },
  internal: { act: refusal(500, 'InternalServiceError', 'An error occurred on the server side.') },
  html: { act: (res) => send(res, { status: 503, type: 'text/html', text: '<h1>Service Unavailable</h1>' }) },
  denied: {
    act: refusal(400, 'AccessDeniedException',
      'User: arn:aws:sts::123456789012:assumed-role/ntsd-instance/i-0 is not authorized to perform: ' +
      'secretsmanager:GetSecretValue on this resource because no identity-based policy allows it'),
  },
  echo: { before: true, act: echo },
  truncated: { act: (res, a) => send(res, { ...a, text: a.text.slice(0, a.text.length / 2) }) },
  cut: { act: cut },
  empty: { act: (res, a) => send(res, { ...a, text: '' }) },
  nonsense: { act: (res, a) => send(res, { ...a, text: 'hello' }) },
  binary: { act: (res, a) => send(res, { ...a, text: a.text.replace('SecretString', 'SecretBinary') }) },
  redirect: {
    act: (res) => {
      res.writeHead(307, { location: 'http://127.0.0.1:9/' });
      res.end();
    },
  },
  drip: { act: drip },
  endless: { act: endless },
  silence: { before: true, act: () => {} },
  hangup: { before: true, act: (res) => res.socket.destroy() },
};
