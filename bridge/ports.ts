import type { Credentials } from "../auth/scheme/http.ts";
import type { UnixMillis } from "../base/units.ts";
import type { Pulling, TransportSetting } from "./camera.ts";
import type { KeptFor } from "./kept-for.ts";
import type { RecordingPlan } from "./recording-plan.ts";

/** A camera that answered a probe, and whether it is ours already. */
export interface Find {
  /** Stable for as long as the camera keeps its endpoint address. */
  readonly id: string;
  readonly ip: string;
  /** Addresses of its ONVIF device service, the best first. */
  readonly xaddrs: readonly string[];
  readonly name?: string;
  readonly hardware?: string;
  readonly location?: string;
  readonly lastSeen: UnixMillis;
  /** The id of the adopted camera at this address. */
  readonly adoptedAs: string | undefined;
}

/** What the last scan did or the running one does. */
export interface Scan {
  readonly running: boolean;
  /** Addresses asked one by one; 0 of 0 where only the networks were asked. */
  readonly probed: number;
  readonly total: number;
  readonly startedAt: UnixMillis | undefined;
  /** Why the last scan ended early, in words. */
  readonly failure: string | undefined;
}

/** What changes while people watch. */
export type DiscoveryEvent =
  | { readonly type: "found"; readonly find: Find }
  | { readonly type: "scan"; readonly scan: Scan }
  | { readonly type: "adopting"; readonly id: string; readonly step: string };

/** How a person names a camera to adopt: one that was found, or the RTSP address of any camera, and of its smaller picture. */
export type AdoptionTarget = { readonly find: string } | { readonly rtsp: string; readonly sub?: string };

/** What a person may choose for a camera to adopt. */
export interface AdoptionChoice {
  /** Its own name if absent. */
  readonly name?: string;
  readonly credentials?: Credentials;
  /** Automatic if absent. */
  readonly transport?: TransportSetting;
  /** Whoever chooses allows this camera to be spoken to without TLS: everybody on its network can read it then. No if absent. */
  readonly plainText?: boolean;
  /** Of its main stream; as the settings say for new cameras if absent. */
  readonly recording?: RecordingPlan;
}

/** What installers ask of the camera side. The client side knows no more of it than this. */
export interface Discovery {
  list(): readonly Find[];
  readonly scan: Scan;
  /** Returns how to stop listening. */
  listen(listener: (event: DiscoveryEvent) => void): () => void;
  /** Asks the camera networks, and `targets` (addresses and CIDR ranges) one by one. `busy` while a scan runs. */
  startScan(targets?: readonly string[]): Promise<void>;
  /** Logs in to the camera, reads what it offers, saves it and starts to record. `denied` where that needs plain text and it is not allowed. */
  adopt(target: AdoptionTarget, choice: AdoptionChoice): Promise<{ readonly id: string; readonly name: string }>;
  /** How the camera is asked to send, at once and from now on. `not-found` when there is none, `denied` where plain text is not allowed for it. */
  setTransport(camera: string, setting: TransportSetting): Promise<void>;
  /** When a stream is pulled although nobody needs it, at once and from now on. `not-found` when there is none. */
  setPulling(camera: string, stream: string, pulling: Pulling): Promise<void>;
  /** What is kept of a camera, from now on. `not-found` when there is none. */
  setRetention(camera: string, retention: KeptFor): Promise<void>;
  /** When a stream is recorded, at once and from now on. `not-found` when there is none. */
  setRecording(camera: string, stream: string, plan: RecordingPlan): Promise<void>;
  /** `not-found` when there is none. Its recordings stay until their retention ends. */
  remove(camera: string): Promise<void>;
}
