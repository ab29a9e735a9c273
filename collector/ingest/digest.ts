import { createCipheriv, createSecretKey, hash } from 'node:crypto';

/**
 * A hash of 16 bytes that identifies a message, to recognise repeated deliveries.
 *
 * Small messages: truncated SHA-256. Large ones: the tag of AES-GCM over the message as associated data (GMAC),
 * a polynomial over GF(2^128). Two different messages collide with a probability below their blocks in 2^128,
 * 10^-34 for 143 KB. It covers every byte, as SHA-256 does, at a fifth of the cost: 17 µs against 85 µs for 143
 * KB (Node 24, AES-NI; 40 µs with the key as bytes). Its fixed cost is higher, hence SHA-256 for small
 * messages.
 *
 * The key is not secret: all collectors of a store must agree. A sender can therefore make two messages with
 * one digest. A digest only counts within the sender's own project, so the effect is that its own second
 * message is not counted.
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
