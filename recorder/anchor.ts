import { z } from "zod";
import { Fault } from "../base/fault.ts";
import { rootOver, treeRoot } from "./hash-tree.ts";
import type { Signer } from "./signature.ts";
import { hashOfText, jsonOf, readSignedLine, type SignedText, signedLine } from "./signed-text.ts";

const DOMAIN = "viaduct anchor v1";

const LIMITS = {
  /** Of one line: some hundred bytes a stream. */
  bytes: 32 * 1024 * 1024,
  streams: 100_000,
};

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.int().nonnegative();

const schema = z.object({
  /** Counts anchors, from 1. */
  seq: z.int().positive(),
  time: z.iso.datetime(),
  /** SHA-256 of the text of the anchor before; zeros for the first one. */
  prev: hash,
  /** The oldest anchor that is kept: those before it went with the recordings of their time. */
  first: z.int().positive(),
  /** The newest statement of what was removed. */
  removals: count,
  /** The newest line of the audit log, and its hash; null where there is no log. */
  audit: z.object({ seq: count, hash }).nullable(),
  /** How many streams there are recordings of, and the root of the hash tree over their newest segments. */
  streams: count.max(LIMITS.streams),
  root: hash,
});

const newest = z.tuple([z.string().max(64), z.string().max(64), count, count, hash]);

/** What is signed. */
export type Anchor = z.output<typeof schema>;

/** An anchor, as it is named elsewhere. */
export interface AnchorName {
  readonly seq: number;
  /** SHA-256 of its text. */
  readonly hash: string;
}

/** The newest segment of a stream when an anchor was made. Times in microseconds since 1970; its last link in hexadecimal. */
export interface AnchoredSegment {
  readonly camera: string;
  readonly stream: string;
  readonly startUs: number;
  readonly endUs: number;
  readonly link: string;
}

/** An anchor with who signed it. */
export interface SignedAnchor extends SignedText {
  readonly anchor: Anchor;
  /** SHA-256 of its text: what the next anchor, and a time stamp, are over. */
  readonly hash: string;
}

/** One line, without its end: what is signed, the signature, the certificate, and the segments that the root is over. */
export function printAnchor(
  anchor: Omit<Anchor, "streams" | "root">,
  segments: readonly AnchoredSegment[],
  signer: Signer,
): string {
  const root = treeRoot(segments.map(leafOf)).toString("hex");
  const text = JSON.stringify({ ...anchor, streams: segments.length, root } satisfies Anchor);
  return `${signedLine(DOMAIN, text, signer)}\t${JSON.stringify(segments.map(partsOf))}`;
}

/** Fault `invalid` where it is no anchor, or the segments are not those that it was signed over. */
export function readAnchor(line: string): SignedAnchor & { readonly segments: readonly AnchoredSegment[] } {
  if (line.length > LIMITS.bytes) throw new Fault("invalid", `an anchor of ${line.length} bytes`);
  const end = line.lastIndexOf("\t");
  const signed = readAnchorText(line.slice(0, Math.max(0, end)));
  const read = z
    .array(newest)
    .max(LIMITS.streams)
    .safeParse(jsonOf(line.slice(end + 1)));
  if (!read.success) throw new Fault("invalid", "the segments of an anchor cannot be read");
  const segments = read.data.map(([camera, stream, startUs, endUs, link]) => ({
    camera,
    stream,
    startUs,
    endUs,
    link,
  }));
  const { streams, root } = signed.anchor;
  if (segments.length !== streams || treeRoot(segments.map(leafOf)).toString("hex") !== root)
    throw new Fault("invalid", "the segments of an anchor are not those that were signed");
  return { ...signed, segments };
}

/** What is signed, its signature and its certificate, without the segments. Fault `invalid` where it is no anchor. */
export function readAnchorText(line: string): SignedAnchor {
  const signed = readSignedLine(DOMAIN, line);
  const read = schema.safeParse(jsonOf(signed.text));
  if (!read.success) throw new Fault("invalid", "an anchor lacks something");
  return { ...signed, anchor: read.data, hash: hashOfText(signed.text) };
}

/** Whether an anchor names a segment. */
export function isUnder(
  { streams, root }: Anchor,
  segment: AnchoredSegment,
  place: { readonly index: number; readonly path: readonly string[] },
): boolean {
  const path = place.path.map((one) => Buffer.from(one, "hex"));
  const found = rootOver(leafOf(segment), { index: place.index, size: streams }, path);
  return found?.toString("hex") === root;
}

/** What a segment is in the tree. */
export function leafOf(segment: AnchoredSegment): Buffer {
  return Buffer.from(JSON.stringify(partsOf(segment)));
}

function partsOf({ camera, stream, startUs, endUs, link }: AnchoredSegment): z.output<typeof newest> {
  return [camera, stream, startUs, endUs, link];
}
