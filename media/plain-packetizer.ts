import type { FramedPackets } from "./framed-packets.ts";
import { PAYLOAD_BYTES, type PacketNumbers, PacketWriter } from "./packet-writer.ts";
import type { Sample } from "./sample.ts";
import type { Track } from "./track.ts";

/**
 * Packets whose payload is the sample, cut where it does not fit: G.711 (RFC 3551 4.5.14), MPEG-4 Visual (RFC 6416 5) and metadata
 * (ONVIF Streaming 5.1.2.1). Opus is never cut (RFC 7587 4.2).
 */
export class PlainPacketizer {
  readonly track: Track;
  readonly #writer: PacketWriter;

  constructor(track: Track, numbers: PacketNumbers) {
    this.track = track;
    this.#writer = new PacketWriter(numbers);
  }

  get ssrc(): number {
    return this.#writer.ssrc;
  }

  get nextSequence(): number {
    return this.#writer.nextSequence;
  }

  packets(sample: Sample, rtpTime: number): FramedPackets {
    const { data } = sample;
    const audio = this.track.kind === "audio";
    // Channels stay together, and every packet of audio has the time of its first byte.
    const { channels, codec } = this.track;
    const cut = audio ? PAYLOAD_BYTES - (PAYLOAD_BYTES % channels) : PAYLOAD_BYTES;
    const room = codec === "OPUS" ? data.length : cut;
    this.#writer.begin(data.length, Math.ceil(data.length / room), rtpTime);
    for (let at = 0; at < data.length; at += room) {
      this.#writer.open(audio ? at / channels : 0);
      this.#writer.copy(data, at, Math.min(at + room, data.length));
      this.#writer.close();
    }
    // In G.711 and Opus the marker would say that silence ends; in a picture or metadata it ends them.
    return this.#writer.end(!audio);
  }
}
