import { type Millis, SECOND } from "../base/units.ts";
import type { Feed, Frame, Sound, Watcher } from "./feed.ts";
import type { Quirk } from "./quirks.ts";
import { h264Payloads, isParameterSet, RtpSender } from "./rtp.ts";
import { MEDIA, type MediaName } from "./sdp.ts";
import { SAMPLE_RATE_HZ } from "./tone.ts";

const REPORT_PERIOD_MS: Millis = 5 * SECOND;

/** Where the packets of a track go. */
export interface Outlet {
  /** More than a patient camera keeps waits to be sent: pictures are left out up to the next key frame. */
  readonly full: boolean;
  rtp(packets: readonly Buffer[]): void;
  rtcp(packet: Buffer): void;
  close(): void;
}

interface Track {
  readonly outlet: Outlet;
  readonly sender: RtpSender;
  readonly control: string;
}

/** One client's session: the tracks that it has set up, and what is sent to it. */
export class Viewer implements Watcher {
  readonly id: string;
  readonly #feed: Feed;
  readonly #quirks: ReadonlySet<Quirk>;
  readonly #tracks = new Map<MediaName, Track>();
  #reportDue: Millis = 0;
  #waitsForKey = true;
  #playing = false;

  constructor(id: string, feed: Feed, quirks: ReadonlySet<Quirk>) {
    this.#quirks = quirks;
    this.id = id;
    this.#feed = feed;
  }

  get playing(): boolean {
    return this.#playing;
  }

  has(name: MediaName): boolean {
    return this.#tracks.has(name);
  }

  /** `control`: the track's address as the client asked for it. */
  setUp(name: MediaName, outlet: Outlet, control: string): RtpSender {
    const sender = new RtpSender(MEDIA[name].payloadType, MEDIA[name].clockHz);
    this.#tracks.set(name, { outlet, sender, control });
    return sender;
  }

  /** Begins with the next frame. The value is that of RTP-Info (RFC 2326 12.33). */
  play(): string {
    this.#waitsForKey = true;
    this.#reportDue = 0;
    this.#feed.watch(this);
    this.#playing = true;
    const { elapsedMs, position } = this.#feed.next;
    const begin = { video: elapsedMs / SECOND, audio: position / SAMPLE_RATE_HZ };
    return [...this.#tracks]
      .map(
        ([name, { sender, control }]) =>
          `url=${control};seq=${sender.sequence};rtptime=${sender.timestamp(begin[name])}`,
      )
      .join(",");
  }

  pause(): void {
    this.#feed.unwatch(this);
    this.#playing = false;
  }

  close(): void {
    this.pause();
    for (const { outlet } of this.#tracks.values()) outlet.close();
    this.#tracks.clear();
  }

  frame({ nals, key, elapsedMs }: Frame): void {
    this.#report();
    const track = this.#tracks.get("video");
    if (track === undefined) return;
    if (key) this.#waitsForKey = track.outlet.full;
    if (this.#waitsForKey) return;
    const payloads = h264Payloads(nals.filter((nal) => !(this.#quirks.has("sprop-only") && isParameterSet(nal))));
    track.outlet.rtp(track.sender.packets(payloads, elapsedMs / SECOND, (index) => index === payloads.length - 1));
    if (track.outlet.full) this.#waitsForKey = true;
  }

  sound({ samples, position }: Sound): void {
    this.#report();
    const track = this.#tracks.get("audio");
    if (track === undefined || track.outlet.full) return;
    track.outlet.rtp(track.sender.packets([samples], position / SAMPLE_RATE_HZ, () => false));
  }

  /** Before the first packet, and then every few seconds. */
  #report(): void {
    const elapsedMs = this.#feed.elapsed();
    if (elapsedMs < this.#reportDue || this.#quirks.has("no-reports")) return;
    this.#reportDue = elapsedMs + REPORT_PERIOD_MS;
    for (const { outlet, sender } of this.#tracks.values())
      outlet.rtcp(sender.report(this.#feed.now(), elapsedMs / SECOND));
  }
}
