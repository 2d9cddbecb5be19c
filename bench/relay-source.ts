import { randomBytes } from "node:crypto";
import { createServer, type Socket } from "node:net";
import { instantNow, MARK } from "./mark.ts";
import { BYTES, FRAMES_PER_GROUP, FRAMES_PER_SECOND, PPS, SPS } from "./picture.ts";

// A camera of 4 Mbit/s for measuring, cheap to run: noise in the shape of H.264. Each access unit begins with an SEI that carries
// the instant of its sending, on the clock that all processes of this machine share. It is one camera, the same for everybody who
// watches; or, as `relay-source.ts 100`, so many of them, no two of which begin a picture at once: who comes next watches the next.

const PACKET_BYTES = 1400;
const PAYLOAD_TYPE = 96;
const SSRC = 0x0badcafe;

/** Noise without anything that looks like a start code. */
const NOISE = Buffer.from(randomBytes(BYTES.key).map((byte) => byte | 1));

/**
 * How a slice begins that fits these parameter sets (H.264 7.3.3): intra, of frame 0, with the quality of the set and no deblocking.
 * What follows is noise; but without a header that can be read, ffmpeg does not find out how large pictures are.
 */
const SLICE_HEADERS = { key: Buffer.of(0x88, 0x84, 0xaf), other: Buffer.of(0x88, 0x82, 0xbf) };

interface Packed {
  readonly sequence: number;
  readonly timestamp: number;
  readonly marker: boolean;
}

function packet(payload: readonly Uint8Array[], { sequence, timestamp, marker }: Packed): Buffer {
  const head = Buffer.alloc(16);
  const body = Buffer.concat(payload);
  head.writeUInt8(0x24, 0);
  head.writeUInt16BE(12 + body.length, 2);
  head.writeUInt8(0x80, 4);
  head.writeUInt8((marker ? 0x80 : 0) | PAYLOAD_TYPE, 5);
  head.writeUInt16BE(sequence & 0xffff, 6);
  head.writeUInt32BE(timestamp >>> 0, 8);
  head.writeUInt32BE(SSRC, 12);
  return Buffer.concat([head, body]);
}

/** The packets of one access unit, numbered from `sequence` on: parameter sets and SEI, then the slice in fragments (RFC 6184 5.8). */
function accessUnit(frame: number, sequence: number): readonly Buffer[] {
  const key = frame % FRAMES_PER_GROUP === 0;
  const timestamp = frame * (90_000 / FRAMES_PER_SECOND);
  const at = instantNow();
  const sei = Buffer.concat([Buffer.from([0x06, 0x05, MARK.length + at.length]), MARK, at, Buffer.of(0x80)]);
  const packets: Buffer[] = [];
  const add = (payload: readonly Uint8Array[], marker: boolean): void => {
    packets.push(packet(payload, { sequence: sequence + packets.length, timestamp, marker }));
  };
  for (const nal of [...(key ? [SPS, PPS] : []), sei]) add([nal], false);
  const slice = NOISE.subarray(0, key ? BYTES.key : BYTES.other);
  const type = key ? 5 : 1;
  const begin = SLICE_HEADERS[key ? "key" : "other"];
  for (let offset = 0; offset < slice.length; offset += PACKET_BYTES) {
    const piece = slice.subarray(offset, offset + PACKET_BYTES);
    const last = offset + PACKET_BYTES >= slice.length;
    const header = Buffer.of(0x7c, (offset === 0 ? 0x80 : 0) | (last ? 0x40 : 0) | type);
    add(offset === 0 ? [header, begin, piece.subarray(begin.length)] : [header, piece], last);
  }
  return packets;
}

function describe(): string {
  const sets = [SPS, PPS].map((set) => set.toString("base64")).join(",");
  return [
    "v=0",
    "o=- 1 1 IN IP4 127.0.0.1",
    "s=bench",
    "c=IN IP4 0.0.0.0",
    "t=0 0",
    "a=control:*",
    `m=video 0 RTP/AVP ${PAYLOAD_TYPE}`,
    `a=rtpmap:${PAYLOAD_TYPE} H264/90000`,
    `a=fmtp:${PAYLOAD_TYPE} packetization-mode=1;profile-level-id=42c01f;sprop-parameter-sets=${sets}`,
    "a=control:trackID=0",
    "",
  ].join("\r\n");
}

/** Sends its pictures to everybody who watches it. */
class Camera {
  readonly watching = new Set<Socket>();
  #frame = 0;
  #sequence = 0;
  /** When it begins, in pictures of the first one. */
  readonly #behind: number;

  constructor(behind: number) {
    this.#behind = behind;
  }

  /** Sends what is due once `pictures` of the first camera are. */
  sendUntil(pictures: number): void {
    for (; this.#frame + this.#behind < pictures; this.#frame += 1) {
      if (this.watching.size === 0) continue;
      const packets = accessUnit(this.#frame, this.#sequence);
      this.#sequence += packets.length;
      const unit = Buffer.concat(packets);
      for (const socket of this.watching) socket.write(unit);
    }
  }
}

const COUNT = Number(process.argv[2] ?? 1);
/** Their key frames lie evenly in a group of pictures, and no two cameras begin a picture at once: 61 pictures in a hundred parts. */
const cameras = Array.from({ length: COUNT }, (_, index) => new Camera((index * (FRAMES_PER_GROUP + 1)) / COUNT));
const EVERY_MS = COUNT > 1 ? 1 : 5;
let watched = 0;

const server = createServer({ noDelay: true }, (socket) => {
  socket.on("error", () => undefined);
  socket.on("close", () => {
    for (const camera of cameras) camera.watching.delete(socket);
  });
  socket.on("data", (chunk: Buffer) => {
    for (const request of chunk
      .toString("latin1")
      .split("\r\n\r\n")
      .filter((text) => /RTSP\/1\.0/.test(text))) {
      const cseq = /CSeq: *(\d+)/i.exec(request)?.[1] ?? "0";
      const method = request.split(" ", 1)[0] ?? "";
      const body = method === "DESCRIBE" ? describe() : "";
      const headers = [
        `RTSP/1.0 200 OK\r\nCSeq: ${cseq}`,
        "Session: 1;timeout=60",
        "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER",
        ...(method === "SETUP" ? ["Transport: RTP/AVP/TCP;unicast;interleaved=0-1"] : []),
        ...(body === "" ? [] : ["Content-Type: application/sdp", `Content-Length: ${body.length}`]),
      ];
      socket.write(`${headers.join("\r\n")}\r\n\r\n${body}`);
      if (method === "PLAY") cameras[watched++ % COUNT]?.watching.add(socket);
    }
  });
});

server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  const port = address !== null && typeof address === "object" ? address.port : 0;
  process.send?.({ port });
});

const began = process.hrtime.bigint();
setInterval(() => {
  const pictures = Number(process.hrtime.bigint() - began) / (1e9 / FRAMES_PER_SECOND);
  for (const camera of cameras) camera.sendUntil(pictures);
}, EVERY_MS);
process.on("disconnect", () => process.exit(0));
