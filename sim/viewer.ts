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
  readonly #faults: MediaFaults;
  readonly #tracks = new Map<MediaName, Track>();
  #begunMs: Millis = 0;
  #reportDue: Millis = 0;
  #waitsForKey = true;
  #playing = false;

  constructor(id: string, feed: Feed, quirks: ReadonlySet<Quirk>) {
    this.#quirks = quirks;
    this.#faults = new MediaFaults(quirks);
    this.id = id;
    this.#feed = feed;
  }

  get playing(): boolean {
    return this.#playing;
  }

  /** Something is sent to it. */
  get watching(): boolean {
    return this.#playing && this.#tracks.size > 0;
  }

  has(name: MediaName): boolean {
    return this.#tracks.has(name);
  }

  /** `control`: the track's address as the client asked for it. */
  setUp(name: MediaName, outlet: Outlet, control: string): RtpSender {
    const { payloadType, clockHz } = mediumOf(name, this.#quirks);
    const sender = new RtpSender(payloadType, clockHz, this.#faults.base);
    this.#tracks.set(name, { outlet, sender, control });
    return sender;
  }

  /** Begins with the next frame. The value is that of RTP-Info (RFC 2326 12.33). */
  play(): string {
    this.#waitsForKey = true;
    this.#reportDue = 0;
    this.#begunMs = this.#feed.elapsed();
    if (this.#quirks.has("stray-data")) this.#sendStrays();
    if (this.#tracks.size > 0) this.#feed.watch(this);
    this.#playing = true;
    const { elapsedMs, position } = this.#feed.next;
    const begin = { video: elapsedMs / SECOND, audio: position / SAMPLE_RATE_HZ };
    return [...this.#tracks]
      .map(
        ([name, { sender, control }]) =>
          `url=${control};seq=${sender.sequence};rtptime=${sender.timestamp(this.#rtpSeconds(name, begin[name]))}`,
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
    if (kept.length > 0) outlet.rtp(kept);
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
