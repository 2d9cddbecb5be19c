import { consumerSide } from "../net/consumers.ts";
import { resolveName } from "../net/resolve.ts";
import { readCa } from "./certificates-file.ts";
import type { ConsumerOptions } from "./client-side/onvif/notifications.ts";
import type { Settings } from "./settings.ts";

/** To whom events are sent; undefined where that is switched off. */
export async function consumersOf({ clientSide, cameraSide }: Settings): Promise<ConsumerOptions | undefined> {
  const { to, http, ca } = clientSide.notifications;
  if (to.length === 0) return undefined;
  return {
    side: consumerSide({ listed: to, cameraInterfaces: cameraSide.interfaces }),
    resolve: resolveName,
    plainText: http,
    ca: ca === undefined ? undefined : await readCa(ca, "clientSide.notifications.ca"),
  };
}
