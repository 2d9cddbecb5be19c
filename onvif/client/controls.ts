import { Fault, type FaultKind, isFault } from "../../base/fault.ts";
import type { Log } from "../../base/log.ts";
import { MINUTE, SECOND } from "../../base/units.ts";
import type { VideoEncoder } from "../../media/video-settings.ts";
import { NAMESPACES } from "../../wsdl/namespaces.ts";
import type { ValueOf } from "../../wsdl/schema.ts";
import { DEVICE } from "../../wsdl/tables/tds.ts";
import { DEVICE_IO, DEVICE_IO_RELAYS } from "../../wsdl/tables/tmd.ts";
import { PTZ } from "../../wsdl/tables/tptz.ts";
import type { DigitalInput, RelayOutput } from "../../wsdl/tables/tt-io.ts";
import type { PTZConfiguration, PTZConfigurationOptions, PTZNode } from "../../wsdl/tables/tt-ptz.ts";
import { withSchemeOf } from "./camera.ts";
import type { Conversation } from "./conversation.ts";
import { type EncoderPlace, readEncoder } from "./encoder.ts";
import { type ListedProfile, profilesOfStreams, snapshotUriOf } from "./media.ts";

/** Where a camera does not say for how long it lets itself be moved. */
const USUAL_TIMEOUT = { Min: SECOND, Max: MINUTE };

/** What of a camera can be controlled through ONVIF, with the camera's own tokens. */
export interface CameraControls {
  readonly ptz:
    | {
        /** Of the profile to name in requests. */
        readonly profile: string;
        readonly configuration: ValueOf<typeof PTZConfiguration>;
        readonly node: ValueOf<typeof PTZNode>;
        readonly options: ValueOf<typeof PTZConfigurationOptions>;
      }
    | undefined;
  /** The sensor of its stream, where there is an imaging service. */
  readonly imagingSource: string | undefined;
  /** In the order of the streams that were asked for; undefined for those of which the camera does not tell it. */
  readonly encoders: readonly ((VideoEncoder & EncoderPlace) | undefined)[];
  readonly relays: readonly ValueOf<typeof RelayOutput>[];
  readonly inputs: readonly ValueOf<typeof DigitalInput>[];
  /** At the camera's own IP address, inside TLS if its device service is. */
  readonly snapshot: URL | undefined;
}

/**
 * Asks a camera what of it can be controlled, beginning at the profile of its first stream. What it refuses to tell is as if
 * it had not got it. Faults: `not-found` where no profile has that stream, `unavailable`, `unauthenticated`, `busy`.
 */
export async function readControls(
  conversation: Conversation,
  o: { readonly device: URL; readonly ip: string; readonly streams: readonly URL[]; readonly log: Log },
): Promise<CameraControls> {
  const found = await conversation.run(async ({ caller, services }) => {
    const media = await profilesOfStreams(caller, services, o);
    const [token] = media?.tokens ?? [];
    if (media === undefined || token === undefined) throw new Fault("not-found", "no profile has this stream");
    const snapshot = await snapshotUriOf(caller, media, token, o.ip);
    return { ...media, snapshot, namespaces: new Set(services.urls.keys()) };
  });
  const [profile] = found.tokens.map((token) => found.profiles.find((one) => one.token === token));
  const moved = profile && movedProfile(profile, found.profiles);
  return {
    ptz: moved && (await ifTold(readHead(conversation, moved), o.log)),
    imagingSource: found.namespaces.has(NAMESPACES.timg) ? profile?.source : undefined,
    relays: (await ifTold(readRelays(conversation), o.log)) ?? [],
    inputs: found.namespaces.has(NAMESPACES.tmd)
      ? ((await ifTold(conversation.ask(DEVICE_IO, "GetDigitalInputs", {}), o.log))?.DigitalInputs ?? [])
      : [],
    snapshot: found.snapshot && withSchemeOf(o.device, found.snapshot),
    // Last, for most of what asks for controls does not need them.
    encoders: await readEncoders(conversation, found, o.log),
  };
}

async function readEncoders(
  conversation: Conversation,
  { prefix, tokens, profiles }: NonNullable<Awaited<ReturnType<typeof profilesOfStreams>>>,
  log: Log,
): Promise<CameraControls["encoders"]> {
  const read: CameraControls["encoders"][number][] = [];
  for (const token of tokens) {
    const encoder = profiles.find((one) => one.token === token)?.encoder;
    const place = encoder === undefined ? undefined : { prefix, token: encoder };
    const told = place && (await ifTold(readEncoder(conversation, place), log, ["unavailable"]));
    read.push(told && { ...told, ...place });
  }
  return read;
}

/** Cameras have the PTZ configuration in one profile of several that show the same scene: any of these moves it. */
function movedProfile(profile: ListedProfile, all: readonly ListedProfile[]): ListedProfile | undefined {
  const same = all.filter(({ source }) => source === profile.source);
  return [profile, ...same].find(({ ptz }) => ptz !== undefined);
}

async function readHead(
  conversation: Conversation,
  { token: profile, ptz }: ListedProfile,
): Promise<CameraControls["ptz"]> {
  const { PTZConfiguration: configurations = [] } = await conversation.ask(PTZ, "GetConfigurations", {});
  const configuration = configurations.find(({ token }) => token === ptz) ?? configurations[0];
  if (configuration === undefined) return undefined;
  const { PTZNode: nodes = [] } = await conversation.ask(PTZ, "GetNodes", {});
  const node = nodes.find(({ token }) => token === configuration.NodeToken) ?? nodes[0];
  if (node === undefined) return undefined;
  const asked = { ConfigurationToken: configuration.token };
  const told = await conversation.ask(PTZ, "GetConfigurationOptions", asked).catch((error: unknown) => {
    if (isFault(error, "invalid")) return undefined;
    throw error;
  });
  const options = told?.PTZConfigurationOptions ?? { Spaces: node.SupportedPTZSpaces, PTZTimeout: USUAL_TIMEOUT };
  return { profile, configuration, node, options };
}

/** At the device service, where they were before there was a device I/O service, or at that. */
async function readRelays(conversation: Conversation): Promise<CameraControls["relays"]> {
  try {
    return (await conversation.ask(DEVICE, "GetRelayOutputs", {})).RelayOutputs ?? [];
  } catch (error) {
    if (!isFault(error, "invalid")) throw error;
    return (await conversation.ask(DEVICE_IO_RELAYS, "GetRelayOutputs", {})).RelayOutputs ?? [];
  }
}

/** `besides`: what else is as if the camera had not got it. */
async function ifTold<T>(answer: Promise<T>, log: Log, besides: readonly FaultKind[] = []): Promise<T | undefined> {
  try {
    return await answer;
  } catch (err) {
    if (!(["invalid", "denied", ...besides] as const).some((kind) => isFault(err, kind))) throw err;
    log.debug({ err }, "the camera does not tell what it has");
    return undefined;
  }
}
