const FILLER_NAL = 0x0c;
/** Its header, and the bit that ends it. */
const LEAST_BYTES = 2;

/** A NAL unit that shows nothing and is `bytes` long, two at least (ITU-T H.264 7.3.2.7): with it an access unit is as long as it is to be. */
export function filler(bytes: number): Buffer {
  const nal = Buffer.alloc(Math.max(LEAST_BYTES, bytes), 0xff);
  nal[0] = FILLER_NAL;
  nal[nal.length - 1] = 0x80;
  return nal;
}
