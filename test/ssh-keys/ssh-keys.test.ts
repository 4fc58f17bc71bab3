/** Keys of SSH against what OpenSSH's own `ssh-keygen` made and showed; where it is installed, against it as well. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { generatedAlgorithms, generateKeyPair, KeyRefused, readPublicKey } from '../../src/ssh-keys/index.js';
import { seed } from '../policy/seed.js';

interface Taken {
  readonly file: string;
  readonly algorithm: string;
  readonly text: string;
  readonly fingerprint: string;
  readonly rfc4716?: string;
  readonly pkcs8?: string;
  readonly pem?: string;
}

const { taken, refused } = JSON.parse(readFileSync(new URL('keys.json', import.meta.url), 'utf8')) as {
  readonly taken: readonly Taken[];
  readonly refused: readonly { readonly says: string; readonly text: string; readonly because: string }[];
};
const line = (text: string): string => text.split(' ').slice(0, 2).join(' ');
const [first = { text: '' }] = taken;
const [name = '', base64 = ''] = first.text.split(' ');

/** The fault of a text; fails when it is taken. */
function faultOf(text: string): string {
  try {
    readPublicKey(text);
  } catch (error) {
    if (error instanceof KeyRefused) return error.message;
    throw error;
  }
  throw new Error(`taken: ${text}`);
}

describe('public keys', () => {
  it.each(taken)('$file is read, from each of its forms', ({ algorithm, text, fingerprint, rfc4716, pkcs8, pem }) => {
    for (const form of [text, `${text}\n`, line(text), rfc4716, pkcs8, pem]) {
      if (form === undefined) continue;
      expect(readPublicKey(form)).toEqual({ algorithm, line: line(text), fingerprint });
    }
  });

  it.each(refused)('$says is refused', ({ text, because }) => {
    expect(faultOf(text)).toContain(because);
  });

  it.each([
    ['nothing', ' \n', 'blank'],
    ['a private key', `-----BEGIN ${'OPENSSH'} PRIVATE KEY-----\nAAAA\n`, 'private key'],
    ['options in front', `command="/bin/sh" ${name} ${base64}`, 'options'],
    ['an option in front', `restrict ${name} ${base64}`, 'options'],
    ['options that hold blanks', `from="a, b",pty ${name} ${base64}`, 'options'],
    ['several lines', `${name} ${base64} a\n${name} ${base64} b`, 'several lines'],
    ['a line break in the comment', `${name} ${base64} a\rb`, 'several lines'],
    ['a control character in the comment', `${name} ${base64} a\u001b[31mb`, 'control characters'],
    ['a tab for a blank', `${name}\t${base64}`, 'control characters'],
    ['a NUL', `${name} ${base64}\0`, 'control characters'],
    ['a key of another name', `ssh-rsa ${base64}`, 'different kinds'],
    ['a kind that is none', `ssh-ed448 ${base64}`, 'not taken'],
    ['an old RSA name', `rsa-sha2-512 ${base64}`, 'not taken'],
    ['no base64', `${name} !!!!`, 'no base64'],
    ['base64 that is written otherwise', `${name} ${base64}=`, 'no base64'],
    ['a key cut short', `${name} ${base64.slice(0, -4)}`, 'damaged'],
    ['a key with more behind it', `${name} ${base64}AAAA`, 'damaged'],
    ['a name alone', name, 'not taken'],
    ['megabytes', `${name} ${'A'.repeat(20_000)}`, 'longer than'],
  ])('%s is refused', (_, text, because) => {
    expect(faultOf(text)).toContain(because);
  });

  const wire = (...parts: readonly (string | Uint8Array)[]): Buffer =>
    Buffer.concat(
      parts.flatMap((part) => {
        const bytes = Buffer.from(part as string);
        const length = Buffer.alloc(4);
        length.writeUInt32BE(bytes.length);
        return [length, bytes];
      }),
    );
  const spelled = (...parts: readonly (string | Uint8Array)[]): string =>
    `${String(parts[0])} ${wire(...parts).toString('base64')}`;
  const modulus = Buffer.from(`00${'c5'.repeat(256)}`, 'hex');

  it.each([
    ['an RSA exponent of 1', spelled('ssh-rsa', Buffer.of(1), modulus), 'usual way'],
    ['an even RSA exponent', spelled('ssh-rsa', Buffer.of(4), modulus), 'usual way'],
    ['an even RSA modulus', spelled('ssh-rsa', Buffer.of(3), Buffer.from(`00${'c4'.repeat(256)}`, 'hex')), 'usual way'],
    ['an endless RSA exponent', spelled('ssh-rsa', Buffer.from(`01${'01'.repeat(32)}`, 'hex'), modulus), 'usual way'],
    [
      'an endless RSA modulus',
      spelled('ssh-rsa', Buffer.of(3), Buffer.from(`01${'01'.repeat(2_100)}`, 'hex')),
      'at most',
    ],
    ['a negative RSA modulus', spelled('ssh-rsa', Buffer.of(3), modulus.subarray(1)), 'not positive'],
    ['zeros in front', spelled('ssh-rsa', Buffer.of(0, 3), modulus), 'zeros in front'],
    ['RSA of 2047 bits', spelled('ssh-rsa', Buffer.of(3), Buffer.from('55'.repeat(256), 'hex')), '2047 bits'],
    ['a short Ed25519 key', spelled('ssh-ed25519', Buffer.alloc(31, 7)), '32 bytes'],
    [
      'a point off its curve',
      spelled('ecdsa-sha2-nistp256', 'nistp256', Buffer.concat([Buffer.of(4), Buffer.alloc(64, 7)])),
      'not on its curve',
    ],
    [
      'a compressed point',
      spelled('ecdsa-sha2-nistp256', 'nistp256', Buffer.concat([Buffer.of(2), Buffer.alloc(32, 7)])),
      'in full',
    ],
    [
      'a curve that is not its name’s',
      spelled('ecdsa-sha2-nistp256', 'nistp384', Buffer.concat([Buffer.of(4), Buffer.alloc(96, 7)])),
      'different',
    ],
    [
      'a token’s key for something else than SSH',
      spelled('sk-ssh-ed25519@openssh.com', Buffer.alloc(32, 9), 'https://bank.example'),
      'not one of SSH',
    ],
  ])('%s is refused', (_, text, because) => {
    expect(faultOf(text)).toContain(because);
  });

  it.each(['brainpoolP256r1', 'secp224r1', 'secp256k1'])(
    'PEM of the curve %s is refused as any other kind',
    (namedCurve) => {
      const { publicKey } = generateKeyPairSync('ec', { namedCurve });
      expect(faultOf(String(publicKey.export({ format: 'pem', type: 'spki' })))).toContain('not taken');
    },
  );

  it('an Ed25519 key of small order is refused: its signatures need no secret', () => {
    const identity = Buffer.from(`01${'00'.repeat(31)}`, 'hex');
    expect(faultOf(spelled('ssh-ed25519', identity))).toContain('no secret');
    identity[31] = 0x80;
    expect(faultOf(spelled('ssh-ed25519', identity))).toContain('no secret');
    // The signature (identity, 0) fits whatever was said.
    identity[31] = 0;
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: identity.toString('base64url') };
    const key = createPublicKey({ key: jwk, format: 'jwk' });
    expect(verify(null, Buffer.from('whatever'), key, Buffer.concat([identity, Buffer.alloc(32)]))).toBe(true);
  });

  it('whatever is sent is refused in one plain line, or kept as nothing but a name and base64', () => {
    const piece = fc.oneof(
      fc.constantFrom(...taken.map(({ text }) => text), name, base64, ' ', '\n', '"', ',', 'from="', '-----BEGIN '),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 5 }), (pieces) => {
        try {
          expect(readPublicKey(pieces.join('')).line).toMatch(/^[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,2}$/);
        } catch (error) {
          if (!(error instanceof KeyRefused)) throw error;
          expect(error.message).toMatch(/^[\x20-\x7e’]+$/);
        }
      }),
      { seed, numRuns: 2_000 },
    );
  });
});

describe.each(generatedAlgorithms)('a new %s pair', (algorithm) => {
  it('has a public key that can be read, and a private key in OpenSSH’s form', () => {
    const { publicKey, privateKey } = generateKeyPair(algorithm, 'desk');
    expect(readPublicKey(publicKey.line)).toEqual(publicKey);
    expect(publicKey.algorithm).toBe(algorithm);
    expect(privateKey).toMatch(
      /^-----BEGIN OPENSSH PRIVATE KEY-----\n([A-Za-z0-9+/=]{1,70}\n)+-----END OPENSSH PRIVATE KEY-----\n$/,
    );
    expect(generateKeyPair(algorithm, 'desk').publicKey.line).not.toBe(publicKey.line);
  });

  const hasTool = spawnSync('ssh-keygen', ['-?']).error === undefined;
  const folder = mkdtempSync(join(tmpdir(), 'bailiwick-keys-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it.skipIf(!hasTool)('is understood by ssh-keygen, whatever the length of its numbers and of its comment', () => {
    const file = join(folder, algorithm);
    for (let length = 0; length < 10; length += 1) {
      const { publicKey, privateKey } = generateKeyPair(algorithm, 'c'.repeat(length));
      writeFileSync(file, privateKey, { mode: 0o600 });
      expect(execFileSync('ssh-keygen', ['-y', '-f', file], { encoding: 'utf8' }).trim()).toBe(
        `${publicKey.line} ${'c'.repeat(length)}`.trim(),
      );
      expect(execFileSync('ssh-keygen', ['-lf', file], { encoding: 'utf8' })).toContain(publicKey.fingerprint);
    }
  });
});
