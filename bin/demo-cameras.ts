import { systemClock } from "../base/clock.ts";
import { createLog } from "../base/log.ts";
import { startSimCamera } from "../sim/camera.ts";

/** What the demo tells its cameras, through the channel between the processes: no secret stands in arguments. */
export interface FleetOrder {
  readonly cameras: readonly { readonly name: string; readonly address: string }[];
  readonly user: string;
  readonly password: string;
  readonly discoveryPort: number;
}

/** What they answer. */
export type FleetReply = { readonly ready: true } | { readonly failed: string };

// The demo's cameras live in a process of their own, so that what the bridge costs can be seen by itself.
process.once("message", (order: FleetOrder) => {
  const log = createLog("error");
  Promise.all(
    order.cameras.map(({ name, address }) =>
      startSimCamera({
        name,
        address,
        httpPort: 0,
        rtspPort: 0,
        discoveryPort: order.discoveryPort,
        user: order.user,
        password: order.password,
        audio: true,
        controls: true,
        clock: systemClock,
        log,
      }),
    ),
  ).then(
    () => reply({ ready: true }),
    (error: unknown) => reply({ failed: String(error) }),
  );
});

function reply(message: FleetReply): void {
  process.send?.(message);
}

// Without the demo there is nobody to watch.
process.once("disconnect", () => process.exit(0));
