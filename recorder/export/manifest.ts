import { z } from "zod";
import { Fault } from "../../base/fault.ts";
import { TIME_QUALITIES } from "../../media/group.ts";
import { SIGNING_SCHEMES } from "../../media/signing/scheme.ts";
import { LEAVABLE } from "./film.ts";

/** Names of the files of an export that are not films. */
export const EXPORT_FILES = {
  manifest: "manifest.json",
  manifestSignature: "manifest.json.p7s",
  timeStamp: "manifest.json.p7s.tst",
  sums: "SHA256SUMS",
  sumsSignature: "SHA256SUMS.p7s",
  anchors: "anchors.json",
  readme: "README.txt",
  viewer: "viewer.html",
  exporter: "certificates/export.pem",
  recorder: "certificates/recordings.pem",
  authorities: "certificates/authorities.pem",
  vouched: "certificates/export-by-recorder.pem",
} as const;

const LIMITS = {
  bytes: 16 * 1024 * 1024,
  films: 50_000,
};

const instant = z.iso.datetime();
const text = z.string().max(4096);
const hash = z.string().regex(/^[0-9a-f]{64}$/);
/** SHA-256 of a certificate, as hexadecimal pairs with colons. */
const fingerprint = z.string().regex(/^[0-9A-F]{2}(?::[0-9A-F]{2}){31}$/);
const gap = z.object({ from: instant, to: instant, reason: text });

const film = z.object({
  path: z.string().regex(/^media\/[A-Za-z0-9_-]{1,64}\/[0-9T.Z_-]{1,64}\.mp4$/),
  bytes: z.int().nonnegative(),
  sha256: hash,
  camera: text,
  stream: text,
  /** UTC, of the first picture, and of the end of the last. */
  from: instant,
  to: instant,
  tracks: z.array(z.object({ kind: text, codec: text, width: z.int().optional(), height: z.int().optional() })),
  /** How its times are known: see `docs/guide/export.md`. */
  time: z.enum(TIME_QUALITIES),
  /** How far the camera's own clock was ahead of the recorder's, where the camera tells. */
  cameraAheadMs: z.number().optional(),
  /** When it began to be fetched from the camera's own recording: it fills a gap in what was recorded live. Absent: it was recorded live. */
  fetchedAt: instant.optional(),
  /** True: every fragment is as the recorder signed it. False: something was left out, and this export's signature alone is over it. */
  asRecorded: z.boolean(),
  /** In which formats the camera has signed its stream itself; `viaduct verify` says what that says. Absent: in none. */
  signedByCamera: z.array(z.enum(SIGNING_SCHEMES)).optional(),
  /** The recorder's files that it is from. */
  segments: z.array(text),
});

const camera = z.object({
  id: text,
  name: text,
  stream: text,
  leftOut: z.array(z.enum(LEAVABLE)),
  /** Where what is here begins and ends, in words, beside what was asked for. */
  note: text,
  gaps: z.array(gap),
});

const schema = z.object({
  format: z.literal("viaduct-export"),
  version: z.literal(1),
  id: text,
  madeAt: instant,
  software: text,
  /** Names the bridge that made it. */
  installation: text,
  askedBy: text,
  askedThrough: text,
  reason: text,
  asked: z.object({ from: instant, to: instant }),
  cameras: z.array(camera).max(1000),
  films: z.array(film).max(LIMITS.films),
  certificates: z.object({ export: fingerprint, recordings: fingerprint.optional() }),
});

/** What an export says of itself, in `manifest.json`. */
export type Manifest = z.output<typeof schema>;
export type ManifestFilm = z.output<typeof film>;
export type ManifestCamera = z.output<typeof camera>;

export function printManifest(manifest: Manifest): Buffer {
  return Buffer.from(`${JSON.stringify(manifest, undefined, 2)}\n`);
}

/** Fault `invalid` where it is none, or a newer program's. */
export function readManifest(bytes: Buffer): Manifest {
  if (bytes.length > LIMITS.bytes) throw new Fault("invalid", `a manifest of ${bytes.length} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch (cause) {
    throw new Fault("invalid", "the manifest is not JSON", { cause });
  }
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new Fault("invalid", `the manifest: ${(issue?.path ?? []).join(".")}: ${issue?.message ?? "invalid"}`);
}

/** `SHA256SUMS`, as `sha256sum -c` reads it. */
export function printSums(sums: ReadonlyMap<string, string>): Buffer {
  return Buffer.from([...sums].map(([name, sum]) => `${sum}  ${name}\n`).join(""));
}

/** By name. Lines of another form are left out: their files count as not listed. */
export function readSums(bytes: Buffer): ReadonlyMap<string, string> {
  const lines = bytes.subarray(0, LIMITS.bytes).toString("utf8").split("\n");
  return new Map(
    lines.flatMap((line) => {
      const [, sum, name] = /^([0-9a-f]{64}) {2}(.+)$/.exec(line) ?? [];
      return sum === undefined || name === undefined ? [] : [[name, sum] as const];
    }),
  );
}
