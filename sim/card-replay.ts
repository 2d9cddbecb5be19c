import { setImmediate } from "node:timers/promises";
import type { Clock } from "../base/clock.ts";
import { type Millis, SECOND, type UnixMillis } from "../base/units.ts";
import type { Feed } from "./feed.ts";
import type { Quirk } from "./quirks.ts";
import { h264Payloads, RtpSender } from "./rtp.ts";
import { mediumOf } from "./sdp.ts";
import type { Outlet, Showing } from "./viewer.ts";

/** Seconds from 1900, where NTP begins, to 1970. */
const NTP_1970 = 2_208_988_800;
/** How long a client that does not read is left alone. */
const FULL_MS: Millis = 20;
const OVERRUN_MS: Millis = 30 * SECOND;

/** What a simulated camera has on its card, sent to one client as fast as that takes it (ONVIF Streaming 6). Pictures alone. */
export class CardReplay implements Showing {
  readonly #feed: Feed;
  readonly #outlet: Outlet;
  readonly #quirks: ReadonlySet<Quirk>;
  readonly #clock: Clock;
  readonly #sender: RtpSender;
  #range: { readonly from: UnixMillis; readonly to: UnixMillis } | undefined;
  #playing = false;
  #closed = false;

  constructor(feed: Feed, outlet: Outlet, o: { readonly quirks: ReadonlySet<Quirk>; readonly clock: Clock }) {
    this.#feed = feed;
    this.#outlet = outlet;
    this.#quirks = o.quirks;
    this.#clock = o.clock;
    const { payloadType, clockHz } = mediumOf("video", o.quirks);
    this.#sender = new RtpSender(payloadType, clockHz);
  }

  /** In hexadecimal digits (RFC 2326 12.39). */
  get ssrc(): string {
    return this.#sender.ssrc.toString(16).padStart(8, "0");
  }

  get playing(): boolean {
    return this.#playing;
  }

  /** It is no picture of now. */
  get watching(): boolean {
    return false;
  }

  /** What the next {@link play} sends. Without an end: up to now. */
  aim({ from, to }: { readonly from: UnixMillis; readonly to?: UnixMillis }): void {
    this.#range = { from, to: to ?? this.#feed.now() };
  }

  play(): void {
    if (this.#playing) return;
    this.#playing = true;
    void this.#send().finally(() => {
      this.#playing = false;
    });
  }

  rtpInfo(): string {
    return "";
  }

  pause(): void {
    this.#playing = false;
  }

  close(): void {
    this.#closed = true;
    this.pause();
    this.#outlet.close();
  }

  async #send(): Promise<void> {
    if (this.#range === undefined) return;
    // Behind the answer to PLAY.
    await setImmediate();
    const { from } = this.#range;
    const to = (this.#range.to + (this.#quirks.has("replay-overruns") ? OVERRUN_MS : 0)) as UnixMillis;
    const frames = this.#feed.past(from, to);
    for (
      let next = frames.next(), following = frames.next();
      next.done !== true;
      next = following, following = frames.next()
    ) {
      const { frame, at } = next.value;
      const packets = [...this.#sender.packets(h264Payloads(frame.nals), frame.elapsedMs / SECOND, () => false)];
      const last = packets.at(-1);
      if (last !== undefined) last[1] = (last[1] as number) | 0x80;
      const ends = following.done === true && !this.#quirks.has("replay-without-end");
      const [first, ...rest] = packets;
      if (first === undefined) continue;
      const isDated = frame.key || !this.#quirks.has("dates-keys-alone");
      this.#outlet.rtp([isDated ? dated(first, at, { key: frame.key, ends }) : first, ...rest]);
      while (this.#outlet.full && this.#playing) await this.#clock.sleep(FULL_MS);
      await setImmediate();
      if (!this.#playing || this.#closed) return;
    }
  }
}

/** The packet with ONVIF's replay header extension (ONVIF Streaming 6.3): when it was captured, clean point, end of all. */
function dated(packet: Buffer, at: UnixMillis, marks: { readonly key: boolean; readonly ends: boolean }): Buffer {
  const extension = Buffer.alloc(16);
  extension.writeUInt16BE(0xabac, 0);
  extension.writeUInt16BE(3, 2);
  extension.writeUInt32BE((Math.floor(at / SECOND) + NTP_1970) % 2 ** 32, 4);
  extension.writeUInt32BE(Math.floor(((at % SECOND) / SECOND) * 2 ** 32), 8);
  extension[12] = (marks.key ? 0x80 : 0) | (marks.ends ? 0x50 : 0);
  const head = Buffer.from(packet.subarray(0, 12));
  head[0] = (head[0] as number) | 0x10;
  return Buffer.concat([head, extension, packet.subarray(12)]);
}
