/** The ways in which one value may be written down: as it is, and in the encodings that logs and databases use. */
import { Secret } from 'otpauth';

/** Name of the form and its bytes. */
export type Form = readonly [name: string, bytes: Uint8Array];

/** All forms that differ from one another; the value as it is comes first. */
export function formsOf(value: string | Uint8Array): readonly Form[] {
  const forms = typeof value === 'string' ? formsOfText(value) : formsOfBytes('bytes', value);
  const seen = new Set<string>();
  return forms.filter(([, bytes]) => {
    const key = Buffer.from(bytes).toString('latin1');
    return key.length > 0 && !seen.has(key) && seen.add(key);
  });
}

function formsOfText(text: string): Form[] {
  const written: readonly (readonly [string, string])[] = [
    ['plain', text],
    ['JSON', JSON.stringify(text).slice(1, -1)],
    ['JSON within JSON', JSON.stringify(JSON.stringify(text).slice(1, -1)).slice(1, -1)],
    ['SQL', text.replaceAll("'", "''")],
    ['COPY', text.replaceAll('\\', '\\\\')],
    ['lower case', text.toLowerCase()],
    ['upper case', text.toUpperCase()],
    ['percent', encodeURIComponent(text)],
    ['percent, all of it', [...Buffer.from(text)].map((byte) => `%${hexadecimal(byte).toUpperCase()}`).join('')],
    ['percent, all of it', [...Buffer.from(text)].map((byte) => `%${hexadecimal(byte)}`).join('')],
    ['percent, form', new URLSearchParams([['', text]]).toString().slice(1)],
  ];
  return [
    ...written.map(([name, form]): Form => [name, Buffer.from(form)]),
    ['latin1', Buffer.from(text, 'latin1')],
    ['UTF-16', Buffer.from(text, 'utf16le')],
    ...encodingsOf('', Buffer.from(text)),
    ...decodingsOf(text).flatMap(([name, bytes]) => formsOfBytes(name, bytes)),
  ];
}

function formsOfBytes(name: string, bytes: Uint8Array): Form[] {
  return [[name, bytes], ...encodingsOf(`${name} in `, Buffer.from(bytes))];
}

function encodingsOf(prefix: string, bytes: Buffer): Form[] {
  const hex = bytes.toString('hex');
  return [
    [`${prefix}hexadecimal`, Buffer.from(hex)],
    [`${prefix}hexadecimal`, Buffer.from(hex.toUpperCase())],
    ...[0, 1, 2].flatMap((before): Form[] => [
      [`${prefix}base64`, base64Within(bytes, before, 'base64')],
      [`${prefix}base64url`, base64Within(bytes, before, 'base64url')],
    ]),
  ];
}

/**
 * What the bytes are in base64 as part of something longer that has so many bytes before them, to be counted in threes:
 * without the letters that depend on what stands around them.
 */
function base64Within(bytes: Buffer, before: number, encoding: 'base64' | 'base64url'): Buffer {
  const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString(encoding);
  return Buffer.from(encoded.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6)));
}

/** The bytes that a text stands for, where it may be an encoding itself. */
function decodingsOf(text: string): readonly Form[] {
  if (/^([0-9a-f]{2}){16,}$/.test(text)) return [['bytes', Buffer.from(text, 'hex')]];
  if (/^[A-Z2-7]{32}$/.test(text)) return [['bytes', new Uint8Array(Secret.fromBase32(text).buffer)]];
  if (/^[A-Za-z0-9_-]{24,}$/.test(text)) return [['bytes', Buffer.from(text, 'base64url')]];
  return [];
}

function hexadecimal(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}
