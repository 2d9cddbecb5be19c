import type { CameraRight } from "../../../auth/right.ts";
import { pictureOf } from "../../../media/picture-of.ts";
import type { BridgedCamera, CameraInfo, StreamInfo } from "../../camera.ts";
import type { Controls } from "../../camera-control.ts";
import { EVENT_TRACK } from "../event-track.ts";
import { type MulticastPlan, multicastAddress } from "../multicast-plan.ts";
import type { OnvifCamera, OnvifStream } from "./site.ts";

/** All of a camera that its description is made from. Nothing in it changes: there is another one in its place then. */
type Described = Pick<CameraInfo, "id" | "name"> & {
  readonly controls: Controls;
  readonly streams: readonly [DescribedStream, ...DescribedStream[]];
};
type DescribedStream = Pick<StreamInfo, "name" | "number" | "tracks">;

/** What of a camera somebody is told of, by rights. */
interface Told {
  readonly audio: boolean;
  readonly metadata: boolean;
  readonly ptz: boolean;
  readonly imaging: boolean;
  readonly encoding: boolean;
  readonly relays: boolean;
  readonly snapshot: boolean;
}

/** What was made of a camera, and from what. `made`, by what is told: 128 at most, and one or two in truth. */
interface Kept {
  readonly from: Described;
  readonly made: Map<number, OnvifCamera>;
}

/**
 * Cameras as ONVIF shows them. One is the same object as before while the camera is described as before and the same of it is told,
 * whoever asks, so that what is made of it need not be made again. Rights are decided anew each time.
 */
export class ShownCameras {
  readonly #multicast: MulticastPlan | undefined;
  readonly #kept = new WeakMap<BridgedCamera, Kept>();

  constructor(multicast: MulticastPlan | undefined) {
    this.#multicast = multicast;
  }

  of(camera: BridgedCamera, may: (right: CameraRight) => boolean): OnvifCamera {
    const { controls } = camera.control;
    const { id, name, streams } = camera.info;
    const told: Told = {
      audio: may("audio"),
      metadata: may("metadata"),
      // Who keeps its presets has to know where they are.
      ptz: controls.ptz !== undefined && (may("ptz") || may("presets")),
      imaging: controls.imaging && may("imaging"),
      encoding: controls.encoders.size > 0 && may("encoding"),
      relays: controls.relays.length > 0 && may("relay"),
      snapshot: controls.snapshot && may("snapshot"),
    };
    const described: Described = { id, name, controls, streams };
    const kept = this.#keptOf(camera, described);
    const key = keyOf(told);
    const shown = kept.made.get(key) ?? onvifCamera(described, told, this.#multicast);
    kept.made.set(key, shown);
    return shown;
  }

  #keptOf(camera: BridgedCamera, from: Described): Kept {
    const before = this.#kept.get(camera);
    if (before !== undefined && isSame(before.from, from)) return before;
    const kept = { from, made: new Map<number, OnvifCamera>() };
    this.#kept.set(camera, kept);
    return kept;
  }
}

function isSame(a: Described, b: Described): boolean {
  return (
    a.id === b.id &&
    a.name === b.name &&
    a.controls === b.controls &&
    a.streams.length === b.streams.length &&
    a.streams.every((one, index) => {
      const other = b.streams[index];
      return one.name === other?.name && one.number === other.number && one.tracks === other.tracks;
    })
  );
}

/** A bit for each. */
function keyOf({ audio, metadata, ptz, imaging, encoding, relays, snapshot }: Told): number {
  let key = 0;
  for (const one of [audio, metadata, ptz, imaging, encoding, relays, snapshot]) key = key * 2 + Number(one);
  return key;
}

function onvifCamera(
  { id, name, controls, streams: [main, ...others] }: Described,
  told: Told,
  plan: MulticastPlan | undefined,
): OnvifCamera {
  const describe = ({ name: stream, number, tracks: all }: DescribedStream): OnvifStream => {
    const tracks = told.audio ? all : all.filter(({ kind }) => kind !== "audio");
    // The bridge's own track is behind those of every stream that is known.
    const sent = all.length === 0 ? [] : [...all, EVENT_TRACK];
    const metadata = told.metadata ? sent.find(({ kind }) => kind === "metadata") : undefined;
    const video = tracks.find((track) => track.kind === "video");
    const encoder = video && controls.encoders.get(stream);
    const multicast = plan && multicastAddress(plan, number);
    return {
      name: stream,
      tracks,
      sent,
      ...(metadata === undefined ? {} : { metadata }),
      ...(video && pictureOf(video)),
      ...(encoder && { settings: encoder.settings }),
      ...(encoder && told.encoding ? { choices: encoder.choices } : {}),
      ...(multicast === undefined ? {} : { multicast }),
    };
  };
  return {
    id,
    name,
    streams: [describe(main), ...others.map(describe)],
    // What somebody may not control is not there.
    controls: {
      ptz: told.ptz ? controls.ptz : undefined,
      imaging: told.imaging,
      relays: told.relays ? controls.relays : [],
      inputs: controls.inputs,
      snapshot: told.snapshot,
    },
  };
}
