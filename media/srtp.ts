import { Fault } from "../base/fault.ts";
import { readRtp } from "./rtp.ts";
import { type SrtpCipher, type SrtpKeys, srtpCipher } from "./srtp-cipher.ts";

const LIMITS = {
  /** Packets of RTCP under one key (RFC 3711 9.2). */
  reports: 2 ** 31 - 1,
  /** Packets of RTP under one key. */
  packets: 2 ** 48 - 1,
  /** Further ahead, a receiver takes a sequence number for one from the past (RFC 3711 3.3.1). */
  jump: 2 ** 15 - 1,
  /** Sources under one key: each track of a session is one. To forget one would be to count it anew. */
  sentSources: 16,
  /** Sources of one client's reports. */
  sources: 8,
  /** Reports that may come out of order (RFC 3711 3.3.2). */
  window: 64,
};

/** The fixed header of RTCP with the first SSRC: never encrypted. */
const REPORT_HEADER_BYTES = 8;
const INDEX_BYTES = 4;
const ENCRYPTED = 0x8000_0000;

/** The newest packet of a source. */
interface Newest {
  readonly index: number;
  /** 32 bits. */
  readonly timestamp: number;
}

/** Protects what is sent under one key: RTP and RTCP, of any number of sources (RFC 3711). */
export class SrtpSender {
  readonly #rtp: SrtpCipher;
  readonly #rtcp: SrtpCipher;
  readonly #mki: Buffer;
  /** By SSRC; undefined as long as only reports of it were sent. */
  readonly #newest = new Map<number, Newest | undefined>();
  /** One count for all sources: an index is never used twice all the more. */
  #reports = 0;

  constructor(keys: SrtpKeys) {
    this.#rtp = srtpCipher(keys, "rtp");
    this.#rtcp = srtpCipher(keys, "rtcp");
    this.#mki = keys.mki;
  }

  /**
   * The packet protected; undefined for one that was sent before, as after a pause: the receiver would not take it again. Fault
   * `unavailable` where so many are missing before it that a receiver would take it for one from the past, and where the key is used
   * up or has too many sources. Fault `invalid` for what is no RTP.
   */
  protect(packet: Buffer): Buffer | undefined {
    const { sequence, timestamp, ssrc, payloadOffset } = readRtp(packet);
    const newest = this.#newest.get(ssrc);
    const ahead = newest === undefined ? 0 : (sequence - newest.index) & 0xffff;
    if (newest !== undefined && (ahead === 0 || ahead > LIMITS.jump)) {
      if (((timestamp - newest.timestamp) | 0) <= 0) return undefined;
      throw new Fault("unavailable", `sequence number ${sequence} is too far ahead of index ${newest.index}`);
    }
    const index = newest === undefined ? sequence : newest.index + ahead;
    if (index > LIMITS.packets) throw new Fault("unavailable", "the key is used up");
    this.#count(ssrc);
    this.#newest.set(ssrc, { index, timestamp });
    const roc = Buffer.alloc(INDEX_BYTES);
    roc.writeUInt32BE(Math.floor(index / 2 ** 16));
    const clear = packet.subarray(0, payloadOffset);
    const { content, tag } = this.#rtp.seal(clear, packet.subarray(payloadOffset), { ssrc, index, trailer: roc });
    // Of GCM the tag belongs to the ciphertext, of HMAC it stands behind the MKI (RFC 7714 8.4, RFC 3711 3.1).
    const end = this.#rtp.isAead ? [tag, this.#mki] : [this.#mki, tag];
    return Buffer.concat([clear, content, ...end]);
  }

  /** A compound packet. Fault `unavailable` where the key is used up or has too many sources. */
  protectReport(packet: Buffer): Buffer {
    const ssrc = packet.readUInt32BE(4);
    if (this.#reports === LIMITS.reports) throw new Fault("unavailable", "the key is used up");
    this.#count(ssrc);
    this.#reports += 1;
    const index = this.#reports;
    const trailer = Buffer.alloc(INDEX_BYTES);
    trailer.writeUInt32BE((ENCRYPTED + index) >>> 0);
    const clear = packet.subarray(0, REPORT_HEADER_BYTES);
    const { content, tag } = this.#rtcp.seal(clear, packet.subarray(REPORT_HEADER_BYTES), { ssrc, index, trailer });
    const end = this.#rtcp.isAead ? [tag, trailer, this.#mki] : [trailer, this.#mki, tag];
    return Buffer.concat([clear, content, ...end]);
  }

  /** Whether a report, in the clear or protected, is of a source of ours. */
  hasSent(report: Buffer): boolean {
    return report.length >= REPORT_HEADER_BYTES && this.#newest.has(report.readUInt32BE(4));
  }

  #count(ssrc: number): void {
    if (this.#newest.has(ssrc)) return;
    if (this.#newest.size >= LIMITS.sentSources)
      throw new Fault("unavailable", `more than ${LIMITS.sentSources} sources under one key`);
    this.#newest.set(ssrc, undefined);
  }
}

/** What came of one source: the newest index, and which of those before it. */
interface Seen {
  newest: number;
  /** Bit 0 is the newest. */
  window: bigint;
}

/** Opens the reports that come under one key. */
export class SrtpReceiver {
  readonly #rtcp: SrtpCipher;
  readonly #mki: Buffer;
  readonly #seen = new Map<number, Seen>();

  constructor(keys: SrtpKeys) {
    this.#rtcp = srtpCipher(keys, "rtcp");
    this.#mki = keys.mki;
  }

  /** The compound packet; undefined for what is forged, not encrypted, or came before. */
  openReport(packet: Buffer): Buffer | undefined {
    const { tagBytes, isAead } = this.#rtcp;
    const contentEnd = packet.length - tagBytes - INDEX_BYTES - this.#mki.length;
    if (contentEnd < REPORT_HEADER_BYTES) return undefined;
    const [tagAt, trailerAt] = isAead ? [contentEnd, contentEnd + tagBytes] : [packet.length - tagBytes, contentEnd];
    const mkiAt = trailerAt + INDEX_BYTES;
    const trailer = packet.subarray(trailerAt, mkiAt);
    const word = trailer.readUInt32BE();
    const [ssrc, index] = [packet.readUInt32BE(4), word % ENCRYPTED];
    if (word < ENCRYPTED || !packet.subarray(mkiAt, mkiAt + this.#mki.length).equals(this.#mki)) return undefined;
    if (!this.#isNew(ssrc, index)) return undefined;
    const clear = packet.subarray(0, REPORT_HEADER_BYTES);
    const content = packet.subarray(REPORT_HEADER_BYTES, contentEnd);
    const plain = this.#rtcp.open(clear, content, packet.subarray(tagAt, tagAt + tagBytes), { ssrc, index, trailer });
    if (plain === undefined) return undefined;
    // Only what is authentic counts as seen (RFC 3711 3.3).
    this.#remember(ssrc, index);
    return Buffer.concat([clear, plain]);
  }

  #isNew(ssrc: number, index: number): boolean {
    const seen = this.#seen.get(ssrc);
    if (seen === undefined) return this.#seen.size < LIMITS.sources;
    const behind = seen.newest - index;
    return behind < 0 || (behind < LIMITS.window && ((seen.window >> BigInt(behind)) & 1n) === 0n);
  }

  #remember(ssrc: number, index: number): void {
    const seen = this.#seen.get(ssrc) ?? { newest: index, window: 0n };
    this.#seen.set(ssrc, seen);
    const ahead = index - seen.newest;
    if (ahead > 0) {
      seen.window = ahead < LIMITS.window ? BigInt.asUintN(LIMITS.window, seen.window << BigInt(ahead)) : 0n;
      seen.newest = index;
    }
    seen.window |= 1n << BigInt(seen.newest - index);
  }
}
