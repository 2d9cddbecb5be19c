import { asFault, Fault } from "../../base/fault.ts";
import type { Log } from "../../base/log.ts";
import type { QuirkSeen } from "../../base/quirk.ts";
import { type MediaDescription, parseSdp } from "../../media/sdp.ts";
import { type Headers, header, type Response } from "../wire/message.ts";
import type { UpstreamTransport } from "../wire/transport.ts";
import type { Conversation } from "./conversation.ts";
import type { Incoming } from "./incoming.ts";
import type { RtspQuirk } from "./known-quirks.ts";
import type { Lane, LaneSink } from "./lane.ts";
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

/** Where a track is set up. */
export interface LaneOptions {
  readonly url: URL;
  /** The address of the whole. */
  readonly control: string;
  readonly transport: UpstreamTransport;
  readonly conversation: Conversation;
  readonly lanes: Lanes;
  readonly seen: QuirkSeen<RtspQuirk>;
}

export interface SetUpOptions extends Omit<LaneOptions, "control"> {
  readonly described: Described;
  /** Is given each track that the camera agrees to. */
  readonly incoming: Incoming;
  readonly log: Log;
  /** Besides Transport. */
  readonly headers?: Headers;
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
  const { incoming } = o;
  const index = incoming.media.length;
  const sink: LaneSink = (packet, rtcp) => incoming.packet(index, packet, rtcp);
  incoming.add(media, await setUpLane(media, sink, { ...o, control: o.described.control }, o.headers));
}

/** Sets up one track. Faults: RefusedTransport, RefusedSetup, those of asking. */
export async function setUpLane(
  media: MediaDescription,
  sink: LaneSink,
  o: LaneOptions,
  headers: Headers = [],
): Promise<Lane> {
  const { conversation, control, url, seen } = o;
  const lane = await o.lanes.open(sink);
  if (media.control === undefined) seen("no-control");
  const uri = joinControl(control, media.control, url, seen);
  const response = await conversation.ask("SETUP", uri, [["Transport", lane.asked], ...headers]);
  if (WRONG_TRANSPORT.has(response.status)) throw new RefusedTransport(o.transport, "it says so");
  if (response.status !== 200) throw new RefusedSetup(response);
  conversation.noteSession(response);
  await lane.agree(header(response, "Transport"));
  return lane;
}
