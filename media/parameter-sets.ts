import { Fault } from "../base/fault.ts";
import { BitReader } from "./bits.ts";
import { H264, isH264ParameterSet } from "./h264.ts";
import { avcConfig, h264Size } from "./h264-config.ts";
import { H265, isH265ParameterSet } from "./h265.ts";
import { h265Size, hevcConfig } from "./h265-config.ts";
import type { PictureSize } from "./picture-size.ts";
import type { SampleFormat } from "./sample.ts";

const LIMITS = {
  /** Picture parameter sets that are kept; ordinary streams have one to four. */
  pps: 32,
};

type Format = Extract<SampleFormat, { codec: "H264" | "H265" }>;

interface Picture {
  readonly nal: Buffer;
  /** Came with the access unit that is being read. */
  fresh: boolean;
}

/** The parameter sets in force in one stream, and the format that follows from them. */
export class ParameterSets {
  readonly #codec: Format["codec"];
  #vps: Buffer | undefined;
  #sps: Buffer | undefined;
  #size: PictureSize | undefined;
  readonly #pps = new Map<number, Picture>();
  #replaced = false;
  #dirty = false;
  #format: Format | undefined;

  constructor(codec: Format["codec"]) {
    this.#codec = codec;
  }

  /** Takes over a parameter set, whole and without start code; what is none, or makes no sense, changes nothing. Copies. */
  note(nal: Buffer): void {
    try {
      if (this.#is(nal, "vps")) this.#noteVps(nal);
      else if (this.#is(nal, "sps")) this.#noteSps(nal);
      else if (this.#is(nal, "pps")) this.#notePps(nal);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
    }
  }

  #is(nal: Buffer, kind: "vps" | "sps" | "pps"): boolean {
    if (this.#codec === "H265") return isH265ParameterSet(nal, H265[kind]);
    return kind !== "vps" && isH264ParameterSet(nal, H264[kind]);
  }

  #noteVps(nal: Buffer): void {
    if (this.#vps?.equals(nal) === true) return;
    this.#vps = Buffer.from(nal);
    this.#dirty = true;
  }

  #noteSps(nal: Buffer): void {
    if (this.#sps?.equals(nal) === true) return;
    this.#size = this.#codec === "H264" ? h264Size(nal) : h265Size(nal);
    this.#sps = Buffer.from(nal);
    this.#replaced = true;
    this.#dirty = true;
  }

  #notePps(nal: Buffer): void {
    const id = new BitReader(nal.subarray(this.#codec === "H264" ? 1 : 2)).ue();
    const known = this.#pps.get(id);
    if (known?.nal.equals(nal) === true) {
      known.fresh = true;
      return;
    }
    if (known === undefined && this.#pps.size >= LIMITS.pps) return;
    this.#pps.set(id, { nal: Buffer.from(nal), fresh: true });
    this.#dirty = true;
  }

  /** An access unit is complete: where it replaced the sequence parameter set, picture parameter sets that it did not repeat are gone. */
  settle(): void {
    const fresh = [...this.#pps.values()].some((one) => one.fresh);
    for (const [id, one] of this.#pps)
      if (this.#replaced && fresh && !one.fresh) {
        this.#pps.delete(id);
        this.#dirty = true;
      } else one.fresh = false;
    if (fresh) this.#replaced = false;
  }

  /** Undefined as long as a parameter set is missing. The same object until a parameter set changes. */
  get format(): Format | undefined {
    if (this.#dirty) {
      this.#dirty = false;
      const format = this.#build();
      if (this.#format === undefined || format?.config.equals(this.#format.config) === false) this.#format = format;
    }
    return this.#format;
  }

  #build(): Format | undefined {
    // In the order of their ids, so that it does not matter in which order they came.
    const [pps, ...morePps] = [...this.#pps].sort(([a], [b]) => a - b).map(([, one]) => one.nal);
    if (this.#sps === undefined || this.#size === undefined || pps === undefined) return undefined;
    const { width, height } = this.#size;
    const sets = { sps: this.#sps, pps, morePps };
    if (this.#codec === "H264") return { codec: "H264", width, height, config: avcConfig(sets) };
    if (this.#vps === undefined) return undefined;
    return { codec: "H265", width, height, config: hevcConfig({ ...sets, vps: this.#vps }) };
  }
}
