import { createHash } from "node:crypto";
import { unixMillis } from "../../base/units.ts";
import { TIME_QUALITIES, type TimeQuality } from "../../media/group.ts";
import type { SigningScheme } from "../../media/signing/scheme.ts";
import { BOX_HEADER_BYTES, bodyAt, box, boxesIn } from "../box.ts";
import { type Fmp4Track, handlerOf, initSegment } from "../fmp4.ts";
import { Pace } from "../pace.ts";
import { randomAccess } from "../segment.ts";
import type { Signer } from "../signature.ts";
import type { Ahead } from "./ahead.ts";
import { schemesIn } from "./camera-schemes.ts";
import type { CutFragment, CutSegment, Missing } from "./cut.ts";
import { originBox } from "./origin.ts";
import { asRecorded, type FragmentParts, partsOf, withFewerTracks } from "./reshape.ts";
import { type Exporter, SEAL_SALT_BYTES, sealBoxes, secondsFrom1904 } from "./seal-boxes.ts";
import type { Shift } from "./shift.ts";
import { signPss } from "./sign-pss.ts";

const LIMITS = {
  /** Of one film: every file system and player takes it. */
  bytes: 2_000_000_000,
  /** More than this between two segments is a gap, and begins a new film. */
  gapUs: 1_500_000,
  /** Segments may overlap by this much, for clocks are corrected; then the later one is moved behind the earlier. */
  overlapUs: 500_000,
  /** A picture that stands for longer is told of: nothing came meanwhile. Recordings go on for ten seconds of that. */
  stillUs: 3_000_000,
};

const NOTHING = Buffer.alloc(0);

/** What may be left out of a film. */
export const LEAVABLE = ["audio", "metadata"] as const;
export type LeftOut = (typeof LEAVABLE)[number];

/** Whose film it is, and who makes it. */
export interface FilmMaking {
  readonly exporter: Exporter;
  readonly camera: { readonly id: string; readonly name: string; readonly stream: string };
  readonly leftOut: ReadonlySet<LeftOut>;
  /** Has an RSA key. */
  readonly signer: Signer;
}

/** What a film has in it. Times in microseconds since 1970. */
export interface FilmFacts {
  readonly fromUs: number;
  readonly toUs: number;
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
  readonly tracks: readonly Fmp4Track[];
  /** How the worst of its times is known. */
  readonly time: TimeQuality;
  /** At its beginning. */
  readonly cameraAheadMs: number | undefined;
  /** When it began to be fetched from the camera's own recording, in microseconds since 1970; undefined where it was recorded live. */
  readonly fetchedUs: number | undefined;
  /** Within it, what one picture stands for because no other came. */
  readonly still: readonly Missing[];
  /** Files of the archive that it is from. */
  readonly segments: readonly string[];
  /** Nothing was left out of its fragments: they are as they were signed. */
  readonly asRecorded: boolean;
  /** In which formats the camera has signed it itself. */
  readonly cameraSchemes: readonly SigningScheme[];
}

/** The tracks that are left; perhaps none. */
export function keptTracks(tracks: readonly Fmp4Track[], leftOut: ReadonlySet<LeftOut>): readonly Fmp4Track[] {
  return tracks.filter(({ format }) => {
    const handler = handlerOf(format);
    return handler === "vide" || !leftOut.has(handler === "soun" ? "audio" : "metadata");
  });
}

/**
 * One MP4 file of an export: what was recorded, without a new encoding, from segments that follow one another. Fragments are as they
 * were recorded but for their media times, and can be turned back (`origin.ts`); at the end stands the signature of an ONVIF
 * export file.
 */
export class Film {
  readonly #making: FilmMaking;
  readonly #first: CutFragment;
  readonly #tracks: readonly Fmp4Track[];
  readonly #asRecorded: boolean;
  /** The media times of the first segment at which this film begins, by track. */
  readonly #zeroTicks: ReadonlyMap<number, number>;
  readonly #hash = createHash("sha256");
  readonly #pace = new Pace();
  readonly #fragments: { readonly moofOffset: number; readonly startUs: number; readonly key: boolean }[] = [];
  /** Where each track ends so far, in its ticks, and which instant its media time 0 is. */
  readonly #ends = new Map<number, number>();
  readonly #origins = new Map<number, number>();
  readonly #segments: string[] = [];
  readonly #still: Missing[] = [];
  readonly #cameraSchemes = new Set<SigningScheme>();
  #segment: CutSegment | undefined;
  #shift: Shift = { ticks: new Map(), sequence: 0 };
  #sequence = 0;
  #bytes = 0;
  #endUs = 0;
  #worst = 0;

  /** Begins with `first`, of whose tracks some must be left: {@link keptTracks}. */
  constructor(first: CutFragment, making: FilmMaking) {
    this.#making = making;
    this.#first = first;
    const { tracks } = first.segment;
    this.#tracks = keptTracks(tracks, making.leftOut);
    this.#asRecorded = this.#tracks.length === tracks.length;
    const seconds = partsOf(first.body).runs.map(({ trackId, samples }) => {
      const timescale = tracks.find(({ id }) => id === trackId)?.timescale ?? 1;
      return (samples[0]?.decodeTicks ?? 0) / timescale;
    });
    this.#zeroTicks = new Map(tracks.map(({ id, timescale }) => [id, Math.floor(Math.min(...seconds) * timescale)]));
  }

  /** The bytes of the file, of `fragments` up to the first that belongs in another one. To be read once. */
  async *bytes(fragments: Ahead<CutFragment>): AsyncGenerator<Buffer> {
    yield this.#done(await this.#taken(this.#opening()));
    for (let next = await fragments.peek(); next !== undefined; next = await fragments.peek()) {
      const parts = partsOf(next.body);
      const shift = this.#shiftFor(next, parts);
      if (shift === undefined) break;
      await fragments.take();
      if (next.segment !== this.#segment) {
        const between = [...this.#endOfSegment(), ...(this.#asRecorded ? [originBox({ ...next.segment, shift })] : [])];
        for (const buffer of between) yield this.#done(await this.#taken(buffer));
        this.#segment = next.segment;
        this.#shift = shift;
        this.#segments.push(next.segment.file);
      }
      for (const buffer of this.#add(next, parts, shift)) yield this.#done(await this.#taken(buffer));
    }
    for (const buffer of this.#endOfSegment()) yield this.#done(await this.#taken(buffer));
    for (const buffer of this.#seal()) yield this.#done(buffer);
  }

  /** Once {@link bytes} has ended. */
  facts(): FilmFacts {
    return {
      fromUs: this.#first.box.startUs,
      toUs: this.#endUs,
      bytes: this.#bytes,
      sha256: this.#hash.digest("hex"),
      tracks: this.#tracks,
      time: TIME_QUALITIES[this.#worst] ?? "arrival",
      cameraAheadMs: this.#first.segment.cameraAheadMs,
      fetchedUs: this.#first.segment.fetchedUs,
      still: this.#still,
      segments: this.#segments,
      asRecorded: this.#asRecorded,
      cameraSchemes: [...this.#cameraSchemes],
    };
  }

  /** `ftyp` with the brand that ONVIF wants, and `moov`, which tells when it was recorded. */
  #opening(): Buffer {
    const moov = Buffer.from(movieIn(initSegment(this.#tracks)));
    const recordedAt = secondsFrom1904(unixMillis(this.#first.box.startUs / 1000));
    // Version 0 has 32 bits, and none after 2040.
    bodyAt(moov, "moov", "mvhd").writeUInt32BE(Math.min(recordedAt, 0xffffffff), 4);
    return Buffer.concat([box("ftyp", Buffer.from("isom\0\0\x02\0isomiso6mp41", "latin1")), moov]);
  }

  /** How `next` is moved to stand here; undefined where it belongs in a film of its own. */
  #shiftFor({ box: about, body, segment }: CutFragment, { runs }: FragmentParts): Shift | undefined {
    if (this.#endUs > 0 && about.key && this.#bytes + body.length > LIMITS.bytes) return undefined;
    if (segment === this.#segment) return this.#shift;
    const apartUs = this.#segment === undefined ? 0 : about.startUs - this.#endUs;
    const sameTracks = movieIn(segment.opening).equals(movieIn(this.#first.segment.opening));
    // A film is of one origin.
    if (segment.fetchedUs !== this.#first.segment.fetchedUs) return undefined;
    if (!sameTracks || apartUs > LIMITS.gapUs || apartUs < -LIMITS.overlapUs) return undefined;
    const elapsedUs = segment.zeroUs - this.#first.segment.zeroUs;
    const ticks = new Map<number, number>();
    for (const { id, timescale } of this.#tracks) {
      const by = Math.round((elapsedUs / 1_000_000) * timescale) - (this.#zeroTicks.get(id) ?? 0);
      const start = runs.find((run) => run.trackId === id)?.samples[0]?.decodeTicks;
      const overlap = start === undefined ? 0 : Math.max(0, (this.#ends.get(id) ?? 0) - start - by);
      if (overlap > (LIMITS.overlapUs / 1_000_000) * timescale) return undefined;
      ticks.set(id, by + overlap);
    }
    return { ticks, sequence: this.#sequence + 1 - about.sequence };
  }

  #add({ box: about, head, body }: CutFragment, parts: FragmentParts, shift: Shift): readonly Buffer[] {
    const sequence = about.sequence + shift.sequence;
    // Cameras that sign do so every few seconds: once is enough.
    if (this.#cameraSchemes.size === 0)
      for (const scheme of schemesIn(body, parts, this.#tracks)) this.#cameraSchemes.add(scheme);
    const shaped = this.#asRecorded
      ? asRecorded(head, body, parts, shift)
      : withFewerTracks(body, parts, { ...shift, sequence });
    // Nothing of it is left. Something is given all the same: who asks for the next but one has written what was given before.
    if (shaped === undefined) return [NOTHING];
    this.#sequence = sequence;
    this.#fragments.push({ moofOffset: this.#bytes + shaped.moofAt, startUs: about.startUs, key: about.key });
    this.#endUs = Math.max(this.#endUs, about.endUs);
    this.#worst = Math.max(this.#worst, TIME_QUALITIES.indexOf(about.time));
    for (const { trackId, samples } of parts.runs) {
      const last = samples.at(-1);
      if (last === undefined) continue;
      this.#ends.set(trackId, last.decodeTicks + last.durationTicks + (shift.ticks.get(trackId) ?? 0));
    }
    for (const { id, timescale, format } of this.#tracks) {
      if ("width" in format) this.#still.push(...stillIn(parts, id, timescale));
      const reference = parts.references.find(({ trackId }) => trackId === id);
      if (reference === undefined || this.#origins.has(id)) continue;
      const ticks = reference.mediaTicks + (shift.ticks.get(id) ?? 0);
      this.#origins.set(id, reference.us - (ticks / timescale) * 1_000_000);
    }
    return shaped.buffers;
  }

  #endOfSegment(): readonly Buffer[] {
    const signature = this.#asRecorded ? this.#segment?.signature : undefined;
    return signature === undefined ? [] : [signature];
  }

  /** The signature is over all that stands before it and behind it, with zeros in its own place. */
  #seal(): readonly Buffer[] {
    const { exporter, camera, signer } = this.#making;
    const { bytes, signatureAt } = sealBoxes({
      exporter,
      certificate: signer.certificate,
      signatureBytes: Math.ceil((signer.privateKey.asymmetricKeyDetails?.modulusLength ?? 0) / 8),
      tracks: this.#tracks.map(({ id }) => ({
        trackId: id,
        name: camera.name,
        line: `${camera.id}/${camera.stream}`,
        originUs: this.#origins.get(id),
      })),
    });
    const index = randomAccess({ tracks: this.#tracks, zeroUs: this.#first.box.startUs }, this.#fragments);
    // Up to here it is the same hash as that of the file.
    const signed = this.#hash.copy().update(bytes).update(index).digest();
    signPss(signed, signer.privateKey, SEAL_SALT_BYTES).copy(bytes, signatureAt);
    this.#hash.update(bytes).update(index);
    return [bytes, index];
  }

  async #taken(bytes: Buffer): Promise<Buffer> {
    await this.#pace.walk([bytes], (piece) => this.#hash.update(piece));
    return bytes;
  }

  #done(bytes: Buffer): Buffer {
    this.#bytes += bytes.length;
    return bytes;
  }
}

function stillIn({ runs, references }: FragmentParts, id: number, timescale: number): readonly Missing[] {
  const reference = references.find(({ trackId }) => trackId === id);
  const samples = runs.find(({ trackId }) => trackId === id)?.samples ?? [];
  if (reference === undefined) return [];
  const us = (ticks: number): number => (ticks / timescale) * 1_000_000;
  return samples
    .filter(({ durationTicks }) => us(durationTicks) > LIMITS.stillUs)
    .map(({ presentTicks, durationTicks }) => {
      const fromUs = reference.us + us(presentTicks - reference.mediaTicks);
      return { fromUs, toUs: fromUs + us(durationTicks), reason: "no picture came: the film shows the one before" };
    });
}

/** `moov`, the whole box. */
function movieIn(opening: Buffer): Buffer {
  const found = boxesIn(opening).find(({ type }) => type === "moov");
  const start = found?.start ?? 0;
  return opening.subarray(start, start + BOX_HEADER_BYTES + (found?.body.length ?? 0));
}
