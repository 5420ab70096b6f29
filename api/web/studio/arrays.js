// Arrays as they cross the wire: `{ dtype, shape, base64 }`, little-endian, to the bit.

const KINDS = { float32: Float32Array, float64: Float64Array, int64: BigInt64Array };

/** The typed array of a wire's array. Ids are BigInt: they have 63 bits. */
export function arrayOf({ dtype, base64 }) {
  return new KINDS[dtype](bytesOf(base64).buffer);
}

function bytesOf(base64) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}
