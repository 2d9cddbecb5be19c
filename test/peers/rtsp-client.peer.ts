import { expect } from "chai";
import { type Fault, isFault } from "../../base/fault.ts";
import { Secret } from "../../base/secret.ts";
import type { PacketGroup } from "../../media/group.ts";
import { readRtp } from "../../media/rtp.ts";
import type { Codec } from "../../media/track.ts";
import { GST_LOGIN, type GstCamera, type GstMount, startGstCamera } from "../support/gst-camera.ts";
import { type Pulled, pullUntil } from "../support/pull-until.ts";

/** What must hold for the groups of one track, whatever the codec. */
function expectSound(groups: readonly PacketGroup[], clockRateHz: number): void {
  const packets = groups.flatMap((group) => group.packets).map(readRtp);
  const [first] = packets;
  packets.forEach((packet, index) => {
    expect(packet.ssrc).to.equal(first?.ssrc);
    expect((packet.sequence - (first?.sequence ?? 0)) & 0xffff, "sequence numbers without a gap").to.equal(index);
  });
  groups.forEach((group, index) => {
    const before = groups[index - 1];
    if (before === undefined) return;
    expect(group.discontinuity).to.equal(false);
    expect(group.at).to.be.at.least(before.at);
    const step = (group.rtpTime - before.rtpTime) | 0;
    expect(step).to.be.above(0);
    expect((step / clockRateHz) * 1000).to.be.below(1000);
    for (const packet of group.packets) expect(readRtp(packet).timestamp).to.equal(group.rtpTime);
  });
}

const MOUNTS: readonly (readonly [mount: GstMount, codecs: readonly Codec[]])[] = [
  ["h264", ["H264"]],
  ["h265", ["H265"]],
  ["mjpeg", ["JPEG"]],
  ["h264aac", ["H264", "MPEG4-GENERIC"]],
  ["h264pcmu", ["H264", "PCMU"]],
  ["h264pcma", ["H264", "PCMA"]],
  ["h264pcmumeta", ["H264", "PCMU", "VND.ONVIF.METADATA"]],
  ["onvif", ["H264"]],
];

/** Pictures, and sounds and documents of each other track, that are looked at: on a busy machine one track begins seconds behind another. */
const PICTURES = 55;
const OTHERS = 11;

function isEnough({ tracks, groups }: Pick<Pulled, "tracks" | "groups">): boolean {
  return tracks.every(
    (_, index) => groups.filter(({ track }) => track === index).length >= (index === 0 ? PICTURES : OTHERS),
  );
}

/** The first report comes within five seconds, by another timer than the pictures. */
function isReported({ groups }: Pick<Pulled, "groups">): boolean {
  return groups.some(({ quality }) => quality === "camera");
}

/** What was pulled of one mount, whatever it came by. */
function expectMount(mount: GstMount, codecs: readonly Codec[], { tracks, groups }: Pulled): void {
  expect(tracks.map((track) => track.codec)).to.deep.equal(codecs);
  tracks.forEach((track, index) => {
    const own = groups.filter((group) => group.track === index);
    expect(own.length, track.encoding).to.be.at.least(OTHERS);
    expectSound(own, track.clockRateHz);
  });
  const video = groups.filter((group) => group.track === 0);
  const keys = video.flatMap((group, index) => (group.key ? [index] : []));
  expect(keys.length).to.be.at.least(2);
  if (mount !== "mjpeg") expect((keys[1] ?? 0) - (keys[0] ?? 0), "a key frame each 25").to.equal(25);
  if (codecs[0] === "H264") expect(tracks[0]?.fmtp).to.match(/sprop-parameter-sets=\S+,\S+/);
  if (codecs[0] === "H265") expect(tracks[0]?.fmtp).to.match(/sprop-vps=.*sprop-sps=.*sprop-pps=/);
}

describe("the RTSP client pulls from GStreamer's server", () => {
  let camera: GstCamera;

  before(async function () {
    camera = await startGstCamera(this);
  });
  after(() => camera?.close());

  for (const [mount, codecs] of MOUNTS)
    it(`${mount}: access units, key frames and times are right`, async () => {
      const pulled = await pullUntil(camera.url(mount), isEnough);
      expect(pulled.transport).to.equal("tcp");
      expectMount(mount, codecs, pulled);
    });

  it("takes capture times from the camera's sender reports", async () => {
    expect(isReported(await pullUntil(camera.url("h264"), isReported))).to.equal(true);
  });
});

describe("the RTSP client pulls from GStreamer's server over UDP", () => {
  let camera: GstCamera;

  before(async function () {
    camera = await startGstCamera(this, { udpOnly: true });
  });
  after(() => camera?.close());

  for (const [mount, codecs] of MOUNTS)
    it(`${mount}: nothing is lost, and everything is as over TCP`, async () => {
      const pulled = await pullUntil(camera.url(mount), isEnough, { transports: ["udp"] });
      expect(pulled.transport).to.equal("udp");
      expectMount(mount, codecs, pulled);
    });

  it("and takes capture times from the camera's sender reports", async () => {
    expect(isReported(await pullUntil(camera.url("h264"), isReported, { transports: ["udp"] }))).to.equal(true);
  });
});

describe("the RTSP client logs in at GStreamer's server", () => {
  it("with basic outside TLS it does not: the password would be in clear text", async function () {
    const camera = await startGstCamera(this, { auth: "basic" });
    try {
      const fault = await pullUntil(camera.url("h264"), 5, { credentials: GST_LOGIN }).then(
        () => undefined,
        (error: Fault) => error,
      );
      expect(isFault(fault, "unauthenticated")).to.equal(true);
    } finally {
      await camera.close();
    }
  });

  for (const [scheme, o] of [
    ["digest", { auth: true }],
    ["basic inside TLS", { auth: "basic", tls: true }],
  ] as const)
    it(`with ${scheme}, and is refused with a wrong password and without one`, async function () {
      const camera = await startGstCamera(this, o);
      try {
        const { groups } = await pullUntil(camera.url("h264"), 5, { credentials: GST_LOGIN });
        expect(groups).to.have.length.at.least(5);
        for (const more of [{}, { credentials: { ...GST_LOGIN, password: new Secret("wrong") } }]) {
          const fault = await pullUntil(camera.url("h264"), 5, more).then(
            () => undefined,
            (error: Fault) => error,
          );
          expect(isFault(fault, "unauthenticated")).to.equal(true);
        }
      } finally {
        await camera.close();
      }
    });

  it("over TLS, and recognizes the camera by its key", async function () {
    const camera = await startGstCamera(this, { auth: true, tls: true });
    try {
      const first = await pullUntil(camera.url("h264"), 5, { credentials: GST_LOGIN });
      expect(first.pin).to.match(/^[A-Za-z0-9+/]{43}=$/);
      const again = await pullUntil(camera.url("h264"), 5, { credentials: GST_LOGIN, pin: first.pin ?? "" });
      expect(again.groups).to.have.length.at.least(5);
      const fault = await pullUntil(camera.url("h264"), 5, { credentials: GST_LOGIN, pin: "A".repeat(43) }).then(
        () => undefined,
        (error: Fault) => error,
      );
      expect(isFault(fault, "denied")).to.equal(true);
    } finally {
      await camera.close();
    }
  });
});
