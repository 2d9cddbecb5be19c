import { systemClock } from "../../base/clock.ts";
import type { TestBridge } from "./bridge.ts";
import type { OnvifEndpoint } from "./onvif-client.ts";
import { exchange } from "./onvif-site.ts";

/** The ONVIF services of a whole bridge, at its plain door, or inside TLS whoever's certificate it is. */
export function onvifEndpoint({ bridge }: TestBridge): OnvifEndpoint {
  return {
    clock: systemClock,
    send({ path, body, method = "POST", headers = {}, tls = false }) {
      const { http, https } = bridge.parts.addresses().doors;
      return exchange(
        {
          host: "127.0.0.1",
          port: tls ? https : http,
          path,
          method,
          agent: false,
          rejectUnauthorized: false,
          headers: { "content-type": "application/soap+xml; charset=utf-8", ...headers },
        },
        tls,
        body,
      );
    },
  };
}
