import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Camera } from "../../api.ts";
import { sentence, Trouble } from "../../parts.tsx";
import { Pad } from "./pad.tsx";
import { Presets } from "./presets.tsx";
import "./ptz.css";

/** What moves a camera, below its live picture, as far as the camera can be moved and the account may. */
export function Ptz({ camera }: { readonly camera: Camera }): JSX.Element {
  const { id, moves, mayMove, mayKeepPresets } = camera;
  // Outlives the pad, which goes with the right to move: that it has ended is what there is to say then.
  const [trouble, setTrouble] = useState<string | undefined>(undefined);
  return (
    <>
      {moves === undefined || (!mayMove && !mayKeepPresets) ? null : (
        <section class="ptz" aria-label="Move the camera">
          {mayMove && (moves.panTilt || moves.zoom) ? <Pad camera={id} moves={moves} onTrouble={setTrouble} /> : null}
          {moves.presets || moves.home ? (
            <Presets camera={id} home={moves.home} presets={moves.presets} mayMove={mayMove} mayKeep={mayKeepPresets} />
          ) : null}
        </section>
      )}
      <Trouble text={trouble === undefined ? undefined : sentence(trouble)} />
    </>
  );
}
