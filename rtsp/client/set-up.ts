import { asFault, Fault } from "../../base/fault.ts";
import type { Log } from "../../base/log.ts";
import type { QuirkSeen } from "../../base/quirk.ts";
import { type MediaDescription, parseSdp } from "../../media/sdp.ts";
import { header, type Response } from "../wire/message.ts";
import type { LowerTransport } from "../wire/transport.ts";
import type { Conversation } from "./conversation.ts";
import type { Incoming } from "./incoming.ts";
import type { RtspQuirk } from "./known-quirks.ts";
import type { Lanes } from "./lanes.ts";
import { baseOf, joinControl, receivable } from "./quirks.ts";
import { RefusedSetup, RefusedTransport } from "./refusal.ts";

const LIMITS = {
  /** Tracks that are set up: a picture, its sound, its metadata, and some more. */
  tracks: 8,
};

/** 461 (RFC 2326 11.3.12), and what a camera says instead: "406 TCP transport is not supported" (deepch/RTSPtoWeb#249). */
const WRONG_TRANSPORT: ReadonlySet<number> = new Set([406, 461]);

/** What a camera describes, as far as it is wanted. */
export interface Described {
  /** The address of the whole. */
  readonly control: string;
  readonly media: readonly MediaDescription[];
}

/** Reads the answer to DESCRIBE. Fault `invalid`. */
export function readDescription(response: Response, url: URL, seen: QuirkSeen<RtspQuirk>): Described {
  const { control, media, odd } = parseSdp(response.body.toString("utf8"));
  if (odd) seen("odd-media");
  const base = baseOf([header(response, "Content-Base"), header(response, "Content-Location")], url, seen);
  return { control: joinControl(base, control, url, seen), media: receivable(media, seen).slice(0, LIMITS.tracks) };
}

export interface SetUpOptions {
  readonly url: URL;
  readonly described: Described;
  readonly transport: LowerTransport;
  readonly conversation: Conversation;
  readonly lanes: Lanes;
  /** Is given each track that the camera agrees to. */
  readonly incoming: Incoming;
  readonly log: Log;
  readonly seen: QuirkSeen<RtspQuirk>;
}

/**
 * Sets up all tracks that a camera describes. Sound or metadata that cannot be had is no reason to go without the picture.
 * Faults: RefusedTransport, RefusedSetup, `invalid`, those of asking.
 */
export async function setUpTracks(o: SetUpOptions): Promise<void> {
  let refused: Fault | undefined;
  for (const media of o.described.media) {
    try {
      await setUp(media, o);
    } catch (error) {
      const fault = asFault(error);
      const refusal = fault instanceof RefusedSetup || fault instanceof RefusedTransport;
      if (!refusal || media.track.kind === "video") throw fault;
      refused = fault;
      o.log.info({ err: fault, media: media.track.encoding }, "the camera does not send one of its media");
    }
  }
  if (o.incoming.media.length === 0) throw refused ?? new Fault("invalid", "nothing to set up");
}

async function setUp(media: MediaDescription, o: SetUpOptions): Promise<void> {
  const { conversation, incoming, transport } = o;
  const index = incoming.media.length;
  const lane = await o.lanes.open((packet, rtcp) => incoming.packet(index, packet, rtcp));
  if (media.control === undefined) o.seen("no-control");
  const uri = joinControl(o.described.control, media.control, o.url, o.seen);
  const response = await conversation.ask("SETUP", uri, [["Transport", lane.asked]]);
  if (WRONG_TRANSPORT.has(response.status)) throw new RefusedTransport(transport, "it says so");
  if (response.status !== 200) throw new RefusedSetup(response);
  conversation.noteSession(response);
  lane.agree(header(response, "Transport"));
  incoming.add(media, lane);
}
