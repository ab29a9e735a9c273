import { createCipheriv, createSecretKey, hash } from 'node:crypto';

/**
 * 16 bytes that tell messages apart, to recognise one that is delivered again.
 *
 * Small messages: SHA-256, cut. Large ones: the tag of AES-GCM over the message as associated data (GMAC),
 * a polynomial over GF(2^128) whose value two different messages share with a chance of less than their
 * blocks in 2^128, 10^-34 for 143 KB. It covers every byte, as SHA-256 does, and costs a fifth: 143 KB
 * 17 µs against 85 µs (Node 24, AES-NI; 40 µs with the key as bytes), but a constant too, hence the two.
 *
 * The key is no secret: collectors of one store, today's and tomorrow's, must agree. So whoever wants can
 * make two messages with one digest; a digest only counts within the sender's own project, and all it
 * wins is that its own second message is not counted.
 */
export function messageDigest(message: Uint8Array): Uint8Array {
  if (message.length < largeBytes) return hash('sha256', message, 'buffer').subarray(0, 16);
  const mac = createCipheriv('aes-128-gcm', key, nonce);
  mac.setAAD(message);
  mac.final();
  return mac.getAuthTag();
}

/** Where the two cost the same. */
const largeBytes = 24 * 1024;
const key = createSecretKey(Buffer.from('rollcall message'));
const nonce = Buffer.alloc(12);
