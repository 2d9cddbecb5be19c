import { join } from "node:path";
import { WebSessions } from "../auth/sessions.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { type Bridge, type BridgeOptions, startBridge } from "../bridge/bridge.ts";
import { CONTROL_FILE } from "../bridge/data-folder.ts";
import { createWeb } from "../web/app.ts";
import { listenControl } from "../web/control.ts";

const PAGES = join(import.meta.dirname, "../web/ui/dist");

/** The bridge with its pages, in one process. */
export async function runBridge(
  o: Pick<BridgeOptions, "settings" | "version" | "cameraDiscoveryPort" | "passphrase"> & {
    readonly log: Log;
    /** The system's if absent. */
    readonly clock?: Clock;
  },
): Promise<Bridge> {
  const bridge = await startBridge({
    clock: systemClock,
    ...o,
    web: (parts) =>
      createWeb({
        ...parts,
        sessions: new WebSessions({ accounts: parts.accounts, clock: parts.clock }),
        pages: PAGES,
        addressesOf: {
          live: (camera, stream, local) => parts.addresses().rtsp("live", camera, local, stream),
          recorded: (camera, local) => parts.addresses().rtsp("recorded", camera, local),
        },
        about: (local) => ({ version: o.version, onvif: parts.addresses().onvif(local, false) }),
      }),
  });
  const { log } = bridge.parts;
  const control = await listenControl(join(o.settings.dataFolder, CONTROL_FILE), bridge.parts).catch((err: unknown) => {
    // What it is for can wait until the bridge is stopped.
    log.error({ err }, "commands cannot reach the running bridge");
    return undefined;
  });
  return {
    ...bridge,
    async close() {
      await control?.close();
      await bridge.close();
    },
  };
}
