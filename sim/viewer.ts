import { type Millis, SECOND } from "../base/units.ts";
import type { Feed, Frame, Sound, Watcher } from "./feed.ts";
import { type Burst, MediaFaults } from "./media-faults.ts";
import type { Quirk } from "./quirks.ts";
import { RtpSender } from "./rtp.ts";
import { type MediaName, mediumOf } from "./sdp.ts";
import { SAMPLE_RATE_HZ } from "./tone.ts";

const REPORT_PERIOD_MS: Millis = 5 * SECOND;
/** What an older session has left, where it does. */
const STRAYS = 5;

/** Where the packets of a track go. */
export interface Outlet {
  /** More than a patient camera keeps waits to be sent: pictures are left out up to the next key frame. */
  readonly full: boolean;
  rtp(packets: readonly Buffer[]): void;
  rtcp(packet: Buffer): void;
  close(): void;
}

/** What is sent for a session: to its client alone, or to a group. */
export interface Showing {
  readonly playing: boolean;
  /** Something is sent. */
  readonly watching: boolean;
  /** Begins with the next frame. */
  play(): void;
  /** The value of RTP-Info (RFC 2326 12.33) for tracks by their addresses. */
  rtpInfo(controls: ReadonlyMap<MediaName, string>): string;
  pause(): void;
  close(): void;
}

interface Track {
  readonly outlet: Outlet;
  readonly sender: RtpSender;
}

/** One client, or one group: the tracks that are set up for it, and what is sent to it. */
export class Viewer implements Watcher, Showing {
  readonly #feed: Feed;
  readonly #quirks: ReadonlySet<Quirk>;
  readonly #faults: MediaFaults;
  readonly #tracks = new Map<MediaName, Track>();
  #begunMs: Millis = 0;
  #reportDue: Millis = 0;
  #waitsForKey = true;
  #playing = false;

  constructor(feed: Feed, quirks: ReadonlySet<Quirk>) {
    this.#quirks = quirks;
    this.#faults = new MediaFaults(quirks);
    this.#feed = feed;
  }

  get playing(): boolean {
    return this.#playing;
  }

  get watching(): boolean {
    return this.#playing && this.#tracks.size > 0;
  }

  setUp(name: MediaName, outlet: Outlet): void {
    const { payloadType, clockHz } = mediumOf(name, this.#quirks);
    this.#tracks.set(name, { outlet, sender: new RtpSender(payloadType, clockHz, this.#faults.base) });
  }

  /** The source of a track, in hexadecimal digits (RFC 2326 12.39); undefined where it is not set up. */
  ssrcOf(name: MediaName): string | undefined {
    return this.#tracks.get(name)?.sender.ssrc.toString(16).padStart(8, "0");
  }

  play(): void {
    this.#waitsForKey = true;
    this.#reportDue = 0;
    this.#begunMs = this.#feed.elapsed();
    if (this.#quirks.has("stray-data")) this.#sendStrays();
    if (this.#tracks.size > 0) this.#feed.watch(this);
    this.#playing = true;
  }

  rtpInfo(controls: ReadonlyMap<MediaName, string>): string {
    const { elapsedMs, position } = this.#feed.next;
    const begin = { video: elapsedMs / SECOND, audio: position / SAMPLE_RATE_HZ };
    return [...controls]
      .flatMap(([name, control]) => {
        const sender = this.#tracks.get(name)?.sender;
        if (sender === undefined) return [];
        const rtpTime = sender.timestamp(this.#rtpSeconds(name, begin[name]));
        return `url=${control};seq=${sender.sequence};rtptime=${rtpTime}`;
      })
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
    if (this.#silent) return;
    this.#report();
    const track = this.#tracks.get("video");
    if (track === undefined) return;
    if (key) this.#waitsForKey = track.outlet.full;
    if (this.#waitsForKey) return;
    this.#send(track, this.#faults.picture(nals, this.#rtpSeconds("video", elapsedMs / SECOND)));
    if (track.outlet.full) this.#waitsForKey = true;
  }

  sound({ samples, position }: Sound): void {
    if (this.#silent) return;
    this.#report();
    const track = this.#tracks.get("audio");
    if (track === undefined || track.outlet.full) return;
    const seconds = this.#rtpSeconds("audio", position / SAMPLE_RATE_HZ);
    const { clockHz } = mediumOf("audio", this.#quirks);
    const plain: Burst = { payloads: [samples], seconds, marked: () => false };
    this.#send(track, clockHz === SAMPLE_RATE_HZ ? [plain] : this.#faults.aac(seconds));
  }

  get #silent(): boolean {
    return this.#faults.silent(this.#feed.elapsed() - this.#begunMs);
  }

  #rtpSeconds(name: MediaName, seconds: number): number {
    return this.#faults.rtpSeconds(name, seconds, seconds * SECOND - this.#begunMs);
  }

  #send({ outlet, sender }: Track, bursts: readonly Burst[]): void {
    const packets = bursts.flatMap(({ payloads, seconds, marked }) => sender.packets(payloads, seconds, marked));
    const kept = this.#faults.kept(packets);
    if (kept.length > 0) outlet.rtp([...this.#faults.foreign(kept), ...kept]);
  }

  /** Packets of a picture that another client was sent. */
  #sendStrays(): void {
    const track = this.#tracks.get("video");
    const stranger = new RtpSender(mediumOf("video", this.#quirks).payloadType, 90_000);
    const slice = Buffer.from([0x41, 0x9a, 0x55, 0x55]);
    for (let index = 0; index < STRAYS; index += 1)
      track?.outlet.rtp(stranger.packets([slice], index / this.#feed.fps, () => true));
  }

  /** Before the first packet, and then every few seconds. */
  #report(): void {
    const elapsedMs = this.#feed.elapsed();
    if (elapsedMs < this.#reportDue || !this.#faults.reports(elapsedMs - this.#begunMs)) return;
    this.#reportDue = elapsedMs + REPORT_PERIOD_MS;
    for (const [name, { outlet, sender }] of this.#tracks) {
      const wall = this.#faults.wall(this.#feed.now(), elapsedMs);
      const report = sender.report(wall, this.#rtpSeconds(name, elapsedMs / SECOND));
      for (const one of this.#faults.report(report)) outlet.rtcp(one);
    }
  }
}
