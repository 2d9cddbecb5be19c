import type { Clock } from "../../base/clock.ts";
import { Fault } from "../../base/fault.ts";
import type { UnixMillis } from "../../base/units.ts";
import { printSdp } from "../../media/sdp.ts";
import type { Track } from "../../media/track.ts";
import { printRange } from "../wire/range.ts";
import type { ControlAddresses } from "./address.ts";
import type { MulticastAddress, Presentation, RecordedPresentation } from "./host.ts";
import type { KeyOffer } from "./key-management.ts";
import { multicastPorts } from "./multicast.ts";
import { maySettle, whenSettled } from "./settling.ts";

/** The names of a recording's tracks begin like this (ONVIF Recording Control 5.5), and are counted from 001. */
const TRACK_NAMES = { video: "VIDEO", audio: "AUDIO", metadata: "META", unknown: undefined } as const;

/**
 * The tracks of a presentation. Fault `not-found` where it has none, which for a recording means that nothing is recorded. Footage
 * of the last seconds, which is on its way to the disk, has the tracks of what was recorded last; the first of all is waited for.
 */
export async function tracksOf(
  presentation: Presentation,
  o: { readonly clock: Clock; readonly gone: AbortSignal },
): Promise<readonly Track[]> {
  const tracks = presentation.kind === "live" ? presentation.source.tracks : await recordedTracks(presentation, o);
  if (tracks.length === 0)
    throw new Fault("not-found", `${presentation.kind} ${presentation.name} has no tracks`, {
      tell: presentation.kind === "live" ? "the camera sends nothing" : "nothing is recorded there",
    });
  return tracks;
}

async function recordedTracks(
  { source, from }: RecordedPresentation,
  o: { readonly clock: Clock; readonly gone: AbortSignal },
): Promise<readonly Track[]> {
  const there = await source.tracks(from);
  if (there.length > 0 || from === undefined || !maySettle(o.clock, from)) return there;
  const found = await whenSettled({ ...o, from }, async () => {
    const newest = await source.tracks();
    return newest.length > 0 ? newest : undefined;
  });
  return found ?? [];
}

/** Whether the client may not have a track, though it may have the presentation. Tracks keep their numbers all the same. */
export function isWithheld({ kind }: Track, { withheld }: Pick<Presentation, "withheld">): boolean {
  return withheld.has(kind);
}

/** The description of a presentation (RFC 8866; RFC 2326 C). */
export async function describe(
  presentation: Presentation,
  tracks: readonly Track[],
  control: ControlAddresses,
  ours: {
    readonly address: string;
    readonly now: UnixMillis;
    readonly group?: MulticastAddress | undefined;
    /** For SRTP. */
    readonly keys?: KeyOffer | undefined;
  },
): Promise<string> {
  const group = presentation.kind === "live" && presentation.describesGroup === true ? ours.group : undefined;
  const { keys } = ours;
  // What clients send is not opened: they talk where they have no SRTP.
  const talk = presentation.kind === "live" && keys === undefined ? presentation.talk : undefined;
  const names = presentation.kind === "recorded" ? trackNames(tracks) : [];
  return printSdp({
    name: presentation.name,
    sessionId: String(Math.floor(ours.now)),
    address: ours.address,
    ...(group === undefined ? {} : { group: `${group.address}/${group.ttl}` }),
    control: control.aggregate,
    attributes: [`range:${await rangeOf(presentation)}`],
    media: [
      ...tracks.flatMap((track, index) => {
        if (isWithheld(track, presentation)) return [];
        const name = names[index];
        const attributes = [
          ...(name === undefined ? [] : [`x-onvif-track:${name}`]),
          ...(keys === undefined ? [] : [`key-mgmt:${keys.attribute(index, ours.now)}`]),
        ];
        return {
          track,
          control: control.track(index),
          port: (group && multicastPorts(group, index)?.[0]) ?? 0,
          profile: keys === undefined ? ("RTP/AVP" as const) : ("RTP/SAVP" as const),
          attributes,
        };
      }),
      ...(talk === undefined
        ? []
        : [{ track: talk.track, control: control.track(tracks.length), direction: "sendonly" as const }]),
    ],
  });
}

/** Of an address with a time its length, which players show; of a whole recording its first and last instant. */
async function rangeOf(presentation: Presentation): Promise<string> {
  if (presentation.kind === "live") return "npt=now-";
  const { from, to, source } = presentation;
  if (from !== undefined) return printRange({ unit: "npt", from: 0, ...(to === undefined ? {} : { to: to - from }) });
  const extent = await source.extent();
  return extent === undefined ? "npt=0-" : printRange({ unit: "clock", ...extent });
}

/** The tokens under which ONVIF clients know the tracks (ONVIF Streaming 6.2.3). */
function trackNames(tracks: readonly Track[]): readonly (string | undefined)[] {
  const counts = new Map<string, number>();
  return tracks.map(({ kind }) => {
    const name = TRACK_NAMES[kind];
    if (name === undefined) return undefined;
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    return `${name}${String(count).padStart(3, "0")}`;
  });
}
