/**
 * What devices send as XML, made into text that `parseXml` takes. Forgiven are the slips that occur around the document and
 * change nothing in it: a byte order mark or blank lines before it, NUL bytes behind it (from C strings), an XML
 * declaration whose encoding is not true. Bytes that are no UTF-8 are read as Latin-1. Not forgiven is anything inside.
 */
export function deviceText(bytes: Uint8Array): string {
  // NUL counts as blank here; nowhere in XML is it allowed.
  const text = decode(bytes).replaceAll("\0", " ").trim();
  return text.replace(/^<\?xml[^>]{0,200}\?>/, "").trimStart();
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  }
}
