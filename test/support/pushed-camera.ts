import { once } from "node:events";
import { connect } from "node:net";
import type { Context } from "mocha";
import { eventually, freeTcpPort } from "./bridge.ts";
import { peer } from "./peer.ts";
import { pullUntil } from "./pull-until.ts";

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

/** Servers listen before they have something to send. */
export function flows(url: string): Promise<boolean> {
  return pullUntil(new URL(url), 1).then(
    () => true,
    () => false,
  );
}

/**
 * rtsp-server-perl on 127.0.0.1, as a camera that knows UDP alone, with what ffmpeg makes of `args` and pushes there. Skips the test
 * where one of them is missing.
 */
export async function startPushedCamera(
  context: Context,
  args: readonly string[],
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const [server, ffmpeg] = [peer(context, "rtsp-server-perl"), peer(context, "ffmpeg")];
  const [port, sourcePort] = [await freeTcpPort(), await freeTcpPort()];
  const addresses = ["--client_listen_address", "127.0.0.1", "--source_listen_address", "127.0.0.1"];
  const children = [server.start(["--clientport", `${port}`, "--serverport", `${sourcePort}`, ...addresses]).child];
  await eventually(() => accepts(sourcePort));
  const push = ["-f", "rtsp", `rtsp://127.0.0.1:${sourcePort}/film`];
  children.push(ffmpeg.start(["-v", "error", "-re", ...args, ...push]).child);
  const url = `rtsp://127.0.0.1:${port}/film`;
  await eventually(() => flows(url));
  return {
    url,
    async close() {
      for (const child of children) {
        const ended = once(child, "exit");
        if (child.exitCode === null && child.signalCode === null && child.kill("SIGTERM")) await ended;
      }
    },
  };
}
