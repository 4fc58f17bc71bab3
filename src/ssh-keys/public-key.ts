/**
 * Public keys as people have them: one line of OpenSSH (`id_ed25519.pub`), RFC 4716, or PEM. Whatever the form, what is
 * kept is the one line without its comment, made anew from the numbers that were read, so that nothing of the input
 * reaches an `authorized_keys` file but them.
 */
import { createHash, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { WireFault, WireReader, wirePositive, wireString } from './wire.js';

/** Algorithms that are taken, with the names that OpenSSH has for them. */
export const publicKeyAlgorithms = {
  ED25519: ['ssh-ed25519'],
  ECDSA: ['ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521'],
  RSA: ['ssh-rsa'],
  ED25519_SK: ['sk-ssh-ed25519@openssh.com'],
  ECDSA_SK: ['sk-ecdsa-sha2-nistp256@openssh.com'],
} as const;

export type PublicKeyAlgorithm = keyof typeof publicKeyAlgorithms;

export interface PublicKey {
  readonly algorithm: PublicKeyAlgorithm;
  /** `ssh-ed25519 AAAA…`, without a comment. */
  readonly line: string;
  /** As `ssh-keygen -l` shows it: `SHA256:…`. */
  readonly fingerprint: string;
}

/** Why a text is not taken: one line, for the person who sent it. Never repeats the text. */
export class KeyRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'KeyRefused';
  }
}

const longestText = 16_384;
/** What OpenSSH itself reads at most. */
const rsaBits = { minimum: 2_048, maximum: 16_384 } as const;
const longestExponent = 64;

const curves = { nistp256: ['P-256', 32], nistp384: ['P-384', 48], nistp521: ['P-521', 66] } as const;

/**
 * Encodings of the points of small order, the sign bit aside: a signature that fits such a "key" is made without any
 * secret, for every message.
 */
const smallOrder: ReadonlySet<string> = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
]);

/** Reads one public key; throws `KeyRefused` for everything else. */
export function readPublicKey(text: string): PublicKey {
  if (text.length > longestText) throw new KeyRefused(`this is longer than ${longestText} characters, which no key is`);
  const trimmed = text.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '');
  if (trimmed === '') throw new KeyRefused('this is blank; send the line of the `.pub` file');
  if (/PRIVATE KEY/.test(trimmed)) {
    throw new KeyRefused(
      'this is a private key, which nobody else must have; make a new pair, and send its public key',
    );
  }
  try {
    if (trimmed.startsWith('-----BEGIN ')) return keyOf(blobOfPem(trimmed));
    if (trimmed.startsWith('---- BEGIN SSH2 PUBLIC KEY ----')) return keyOf(blobOfRfc4716(trimmed));
    return keyOf(blobOfLine(trimmed));
  } catch (error) {
    if (error instanceof WireFault) throw new KeyRefused(`the key is damaged: ${error.message}`);
    throw error;
  }
}

/** As `ssh-keygen -l` shows it. */
export function fingerprintOf(blob: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

/** Base64 in its one form, or what is shown is not what is read. */
function bytesOf(base64: string): Buffer {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length === 0 || bytes.toString('base64') !== base64) throw new WireFault('it is no base64');
  return bytes;
}

function blobOfLine(line: string): Buffer {
  if (/[\r\n]/.test(line)) throw new KeyRefused('there are several lines; send one key at a time');
  if (/\p{Cc}/u.test(line))
    throw new KeyRefused('there are control characters in it; send the line of the `.pub` file');
  const [, name = '', base64 = ''] = /^(\S+)[ ]+(\S+)(?:[ ].*)?$/u.exec(line) ?? [];
  if (/[",=]/.test(name) || /^(ssh|ecdsa|sk)-/.test(base64)) {
    throw new KeyRefused('options stand in front of the key; send the key alone, limits are set on the notebook');
  }
  checkName(name);
  const blob = bytesOf(base64);
  if (new WireReader(blob).text() !== name) throw new WireFault('its name and its bytes are of different kinds');
  return blob;
}

/** RFC 4716: headers are lines `name: value`, continued by a backslash at the end. */
function blobOfRfc4716(text: string): Buffer {
  const lines = text.split(/\r\n|\n|\r/);
  const end = lines.indexOf('---- END SSH2 PUBLIC KEY ----');
  if (end !== lines.length - 1) throw new WireFault('its last line is not `---- END SSH2 PUBLIC KEY ----`');
  const base64: string[] = [];
  let continued = false;
  for (const line of lines.slice(1, end)) {
    const header: boolean = continued || (base64.length === 0 && line.includes(':'));
    continued = header && line.endsWith('\\');
    if (!header) base64.push(line);
  }
  return bytesOf(base64.join(''));
}

function blobOfPem(text: string): Buffer {
  let key: KeyObject;
  try {
    key = createPublicKey(text);
  } catch {
    throw new KeyRefused('this is no public key in PEM; send the line of the `.pub` file');
  }
  // Any PEM that holds a key would be read, a certificate of X.509 too.
  if (!/^-----BEGIN (RSA )?PUBLIC KEY-----/.test(text) || text.split('-----BEGIN').length !== 2) {
    throw new KeyRefused('this PEM is not one public key; send the line of the `.pub` file');
  }
  if (!['rsa', 'ec', 'ed25519'].includes(key.asymmetricKeyType ?? '')) throw unknownKind(key.asymmetricKeyType ?? '');
  let jwk: JsonWebKey;
  try {
    jwk = key.export({ format: 'jwk' });
  } catch {
    // Of a curve that has no name there; it has none in SSH either.
    throw unknownKind(key.asymmetricKeyDetails?.namedCurve ?? '');
  }
  return blobOfJwk(jwk);
}

/** The bytes of a key in SSH's own form. */
export function blobOfJwk({ kty, crv, x = '', y = '', n = '', e = '' }: JsonWebKey): Buffer {
  const number = (text: string): Buffer => Buffer.from(text, 'base64url');
  if (kty === 'RSA') return Buffer.concat([wireString('ssh-rsa'), wirePositive(number(e)), wirePositive(number(n))]);
  if (kty === 'OKP' && crv === 'Ed25519') return Buffer.concat([wireString('ssh-ed25519'), wireString(number(x))]);
  const [curve] = Object.entries(curves).find(([, [name]]) => name === crv) ?? [];
  if (curve === undefined) throw unknownKind(crv ?? '');
  const point = Buffer.concat([Buffer.of(4), number(x), number(y)]);
  return Buffer.concat([wireString(`ecdsa-sha2-${curve}`), wireString(curve), wireString(point)]);
}

function keyOf(blob: Buffer): PublicKey {
  const reader = new WireReader(blob);
  const name = reader.text();
  const algorithm = checkName(name);
  switch (algorithm) {
    case 'RSA': {
      const [e, n] = [reader.positive(), reader.positive()];
      checkRsa(e, n);
      break;
    }
    case 'ED25519':
    case 'ED25519_SK':
      checkEd25519(reader.string());
      break;
    case 'ECDSA':
    case 'ECDSA_SK':
      checkPoint(name, reader.text(), reader.string());
      break;
  }
  // What the token signs for: a text of OpenSSH's, `ssh:` and a name.
  if (algorithm.endsWith('_SK') && !/^ssh:[\x21-\x7e]{0,251}$/.test(reader.text())) {
    throw new WireFault('the application that its token signs for is not one of SSH');
  }
  reader.end();
  return { algorithm, line: `${name} ${blob.toString('base64')}`, fingerprint: fingerprintOf(blob) };
}

function checkName(name: string): PublicKeyAlgorithm {
  for (const [algorithm, names] of Object.entries(publicKeyAlgorithms)) {
    if ((names as readonly string[]).includes(name)) return algorithm as PublicKeyAlgorithm;
  }
  throw unknownKind(name);
}

function unknownKind(name: string): KeyRefused {
  if (/-cert-v\d+@openssh\.com$/.test(name)) {
    return new KeyRefused('this is a certificate; send the public key that it was made for');
  }
  if (/^(ssh-)?dss?a?$/.test(name)) return new KeyRefused('DSA keys are weak and no longer taken; make an Ed25519 key');
  return new KeyRefused('keys of this kind are not taken; make one with `ssh-keygen -t ed25519`');
}

function checkRsa(e: Buffer, n: Buffer): void {
  const bits = bitsOf(n);
  if (bits < rsaBits.minimum) {
    throw new KeyRefused(`an RSA key of ${bits} bits is weak; it must have at least ${rsaBits.minimum}`);
  }
  if (bits > rsaBits.maximum) throw new KeyRefused(`an RSA key has at most ${rsaBits.maximum} bits`);
  const odd = (number: Buffer): boolean => ((number.at(-1) ?? 0) & 1) === 1;
  // With 1 there is nothing to solve; longer ones only make every check slow.
  if (!odd(n) || !odd(e) || bitsOf(e) < 2 || bitsOf(e) > longestExponent) {
    throw new KeyRefused('this RSA key was not made in the usual way, and is weak; make a new one');
  }
}

function bitsOf(magnitude: Buffer): number {
  return magnitude.length * 8 - Math.clz32(magnitude[0] ?? 0) + 24;
}

function checkEd25519(key: Buffer): void {
  if (key.length !== 32) throw new WireFault('an Ed25519 key has 32 bytes');
  const unsigned = Buffer.from(key);
  unsigned[31] = (unsigned[31] ?? 0) & 0x7f;
  if (smallOrder.has(unsigned.toString('hex'))) throw new KeyRefused('this Ed25519 key has no secret; make a new one');
}

/** Whether the point is on its curve, Node's own cryptography says. */
function checkPoint(name: string, curve: string, point: Buffer): void {
  const expected = /nistp\d+/.exec(name)?.[0] ?? '';
  const [crv, size] = curves[expected as keyof typeof curves];
  if (curve !== expected) throw new WireFault('its name and its curve are different');
  if (point.length !== 1 + 2 * size || point[0] !== 4) throw new WireFault('its point is not written in full');
  const [x, y] = [point.subarray(1, 1 + size), point.subarray(1 + size)].map((part) => part.toString('base64url'));
  try {
    createPublicKey({ key: { kty: 'EC', crv, x, y } as JsonWebKey, format: 'jwk' });
  } catch {
    throw new WireFault('its point is not on its curve');
  }
}
