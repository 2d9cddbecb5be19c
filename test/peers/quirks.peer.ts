import { expect } from "chai";
import type { TimeQuality } from "../../media/group.ts";
import { MEDIA_QUIRKS } from "../../media/known-quirks.ts";
import { RTSP_QUIRKS } from "../../rtsp/client/known-quirks.ts";
import type { Quirk } from "../../sim/quirks.ts";
import { type Peer, peer } from "../support/peer.ts";
import { FPS, framesSeen, type Watched, watchCamera } from "../support/quirky-camera.ts";

const KNOWN = { ...RTSP_QUIRKS, ...MEDIA_QUIRKS };

/** What is particular to one quirk; without a row, everything is as with a camera that has none. */
interface Row {
  readonly with?: readonly Quirk[];
  readonly seconds?: number;
  readonly udp?: boolean;
  /** Pictures get lost: which part is left at least. */
  readonly left?: number;
  /** A picture is changed in a way that nobody can notice before it is decoded. */
  readonly damaged?: boolean;
  /** How far from the truth the time of a picture may be, in milliseconds; 5 if absent. */
  readonly off?: number;
  /** How some of its times are known; by the camera's reports if absent. */
  readonly quality?: TimeQuality;
  /** Other quirks that this one brings with it. */
  readonly alsoShown?: readonly Quirk[];
  /** Sessions that are begun; 1 if absent. */
  readonly sessions?: number;
  /** The picture's size changes, so that decoded bytes cannot be cut into pictures. */
  readonly undecoded?: boolean;
}

const ROWS: Readonly<Partial<Record<Quirk, Row>>> = {
  "silent-keepalive": { seconds: 80 },
  "no-get-parameter": { seconds: 65 },
  "no-timeout": { seconds: 80 },
  "short-timeout": { seconds: 25 },
  "options-do-not-count": { seconds: 80 },
  "reports-count-alone": { seconds: 40 },
  "describe-once": { with: ["udp-only"], udp: true },
  "stops-sending": { seconds: 60, sessions: 4, left: 0.35 },
  "torn-framing": { left: 0.3, damaged: true, alsoShown: ["drops-packets"] },
  "stray-data": { left: 1 },
  "drops-packets": { left: 0.5 },
  "no-server-port": { udp: true },
  "udp-only": { udp: true },
  "large-datagrams": { udp: true },
  "udp-reorder": { udp: true },
  "udp-loss": { udp: true, left: 0.15, alsoShown: ["drops-packets"] },
  "changing-size": { undecoded: true, seconds: 25 },
  "late-reports": { seconds: 25 },
  "no-reports": { seconds: 40, quality: "arrival" },
  // Nobody but the camera knows that it was right before.
  "clock-steps": { seconds: 60, off: 1505, quality: "corrected" },
  "wrong-reports": { quality: "arrival" },
  "time-jumps": { seconds: 45, quality: "jumped" },
  "fast-clock": { seconds: 60, off: 10 },
  "slow-sound": { seconds: 60, off: 10 },
};

describe("a camera's quirks, the whole way from its lens to the time of its pictures", () => {
  let ffmpeg: Peer;
  before(function () {
    ffmpeg = peer(this, "ffmpeg");
  });

  const quirks = Object.keys(KNOWN) as (keyof typeof KNOWN)[];
  for (const quirk of [undefined, ...quirks])
    it(quirk === undefined ? "none: nothing is held against it" : `${quirk}: it ${KNOWN[quirk].does}`, async () => {
      const row: Row = (quirk && ROWS[quirk]) ?? {};
      const { seconds = 12, left, damaged = false, off = 5, alsoShown = [], sessions = 1 } = row;
      const watched = await watchCamera({
        quirks: quirk === undefined ? [] : [quirk, ...(row.with ?? [])],
        seconds,
        ...(row.udp === true ? { transports: quirk === "describe-once" ? ["tcp", "udp"] : ["udp"] } : {}),
      });
      const shown = quirk !== undefined && KNOWN[quirk].shown ? [quirk] : [];
      expect([...watched.quirks].sort(), "what was noticed").to.deep.equal([...shown, ...alsoShown].sort());
      expect(watched.sessions, "sessions").to.equal(sessions);
      if (row.undecoded === true) expectEvenTimes(watched, seconds);
      else await expectTrue(watched, { seconds, left, damaged, off });
      expectEvenSound(watched, seconds, off);
      const qualities = new Set(watched.groups[0]?.map(({ quality }) => quality));
      expect([...qualities], "how its times are known").to.include(row.quality ?? "camera");
    });

  /** Right pictures at right times, in order, and none that is not accounted for. */
  const expectTrue = async (
    watched: Watched,
    o: { readonly seconds: number; readonly left: number | undefined; readonly damaged: boolean; readonly off: number },
  ): Promise<void> => {
    const seen = await framesSeen(ffmpeg, watched, o);
    const numbers = seen.map(({ frame }) => frame);
    expect(numbers).to.deep.equal([...new Set(numbers)].sort((a, b) => a - b));
    expect(numbers.length, "pictures").to.be.at.least((o.seconds - 1) * FPS * (o.left ?? 1));
    if (o.left === undefined) expect(numbers).to.deep.equal(numbers.map((_, index) => (numbers[0] ?? 0) + index));
    for (const { frame, group } of seen)
      expect(
        Math.abs(group.at - watched.takenAt(frame)),
        `ms between the time of frame ${frame} and the truth`,
      ).to.be.at.most(o.off);
    const marked = (watched.groups[0] ?? []).filter(({ discontinuity }) => discontinuity);
    if (o.left !== undefined) expect(marked.length, "marks of what is missing").to.be.at.least(1);
  };

  const expectEvenTimes = ({ groups: [video = []] }: Watched, seconds: number): void => {
    expect(video.length).to.be.at.least((seconds - 1) * FPS);
    for (const [index, { at }] of video.entries())
      if (index > 0) expect(at - (video[index - 1]?.at ?? 0)).to.be.closeTo(1000 / FPS, 5);
  };

  const expectEvenSound = ({ groups: [, sound], tracks, takenAt }: Watched, seconds: number, off: number): void => {
    if (sound === undefined) return;
    const times = sound.map(({ at }) => at);
    expect(times).to.deep.equal([...times].sort((a, b) => a - b));
    expect(times.length).to.be.at.least(seconds * 6);
    // G.711 is sent every 40 ms of the camera's life.
    if (tracks[1]?.codec !== "PCMU" || off > 20) return;
    for (const [index, at] of times.entries()) {
      const elapsed = at - takenAt(0);
      expect(Math.abs(elapsed - Math.round(elapsed / 40) * 40), `ms that sound ${index} is off`).to.be.at.most(off);
    }
  };
});
