import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Context } from "mocha";
import { systemClock } from "../../base/clock.ts";
import { Secret } from "../../base/secret.ts";
import { loadIdentity } from "../../net/tls.ts";
import type { ClientNetwork } from "./client-network.ts";
import { pythonPeer } from "./peer.ts";

/** What every camera of {@link startGstCamera} serves: 320x240 at 25 frames/s, a key frame each second. */
export type GstMount =
  | "h264"
  | "h265"
  | "mjpeg"
  | "h264aac"
  | "h264pcmu"
  | "h264pcma"
  | "h264pcmumeta"
  | "h264opus"
  | "h264g726"
  | "vp8"
  | "h265aac"
  | "onvif"
  | "talk";

/** How to log in where the camera was started with `auth`. */
export const GST_LOGIN = { user: "camuser", password: new Secret("cam:p@ss%/word") };

/** A camera on GStreamer's RTSP server, on a loopback port of the system's choice. */
export interface GstCamera {
  readonly port: number;
  /** Without user information. */
  url(path: GstMount): URL;
  /** What it has printed, for messages of failing tests. */
  output(): string;
  /** Ends the process. */
  close(): Promise<void>;
}

/**
 * Starts one, or skips the test or hook of `context` where GStreamer's Python bindings are missing. `tls`: the port is rtsps.
 * `udpOnly`: it refuses RTP inside the connection.
 */
export async function startGstCamera(
  context: Context,
  options: {
    /** By digest, if true. */
    readonly auth?: boolean | "basic";
    readonly tls?: boolean;
    readonly udpOnly?: boolean;
    readonly address?: string;
    /** That of an earlier one, which is closed; any if absent. */
    readonly port?: number;
    /** It runs at the other end of a network, at the address there. */
    readonly network?: ClientNetwork;
    /** A group that it may send to. */
    readonly multicast?: string;
  } = {},
): Promise<GstCamera> {
  const here = pythonPeer(context, "gi.repository.GstRtspServer");
  const python = options.network?.peer(context, here.program) ?? here;
  const folder = await mkdtemp(join(tmpdir(), "viaduct-gst-camera-"));
  const { address = options.network?.otherAddress ?? "127.0.0.1" } = options;
  const args = [join(import.meta.dirname, "gst-camera.py"), "--address", address];
  if (options.port !== undefined) args.push("--port", `${options.port}`);
  const { auth = false } = options;
  if (auth !== false) args.push("--user", GST_LOGIN.user, "--password", GST_LOGIN.password.reveal());
  if (auth === "basic") args.push("--basic");
  if (options.multicast !== undefined) args.push("--multicast", options.multicast);
  if (options.udpOnly === true) args.push("--udp-only");
  if (options.tls === true) {
    await loadIdentity(folder, [address], systemClock);
    args.push("--cert", join(folder, "tls-cert.pem"), "--key", join(folder, "tls-key.pem"));
  }
  const process = python.start(args);
  const { child } = process;
  const output = (): string => process.output();
  const exited = once(child, "exit");
  const port = await new Promise<number>((resolve, reject) => {
    child.stdout?.on("data", () => {
      const ready = /^ready (\d+)\n/m.exec(output());
      if (ready !== null) resolve(Number(ready[1]));
    });
    child.once("close", (code) => reject(new Error(`gst-camera.py ended with ${code}:\n${output()}`)));
  });
  return {
    port,
    url: (path) => new URL(`${options.tls === true ? "rtsps" : "rtsp"}://${address}:${port}/${path}`),
    output,
    async close() {
      child.kill("SIGKILL");
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
