import { isAscii } from "node:buffer";
import type { XmlElement } from "./xml.ts";
import { refuse, type XmlLimits, XmlReader } from "./xml-reader.ts";

/**
 * The most that anybody may send us; callers that do not know who it is ask for less. The parser needs some 20 ms for the worst of such
 * documents, which are nothing but the smallest elements or references to characters, and the tree some megabytes. A single element has at
 * most 64 attributes, whatever the caller allows.
 */
const LIMITS: XmlLimits = { bytes: 256 * 1024, depth: 64, elements: 50_000, attributes: 20_000, declarations: 64 };

/** Leaves a byte order mark, which the reader takes away: once. */
const UTF_8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Parses one XML 1.0 document in UTF-8, with namespaces. No document type declaration, no processing instruction, no
 * entities but the five of XML. Everything else, and everything beyond the limits, is a Fault of kind `invalid`.
 */
export function parseXml(document: string | Uint8Array, limits: Partial<XmlLimits> = {}): XmlElement {
  const bounds = { ...LIMITS, ...limits };
  const bytes = typeof document === "string" ? Buffer.byteLength(document) : document.byteLength;
  if (bytes > bounds.bytes) throw refuse(`longer than ${bounds.bytes} bytes`);
  return new XmlReader(typeof document === "string" ? document : decodeUtf8(document), bounds).read();
}

function decodeUtf8(bytes: Uint8Array): string {
  // Nearly all of it, and a fraction of the time.
  if (isAscii(bytes)) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  try {
    return UTF_8.decode(bytes);
  } catch {
    throw refuse("is not UTF-8");
  }
}
