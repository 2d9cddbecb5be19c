/** Why the camera's signature says what it says, for people. */
export const WHY = {
  noCertificate: "the camera's certificate is not in what is here",
  badSignature: "the camera's signature is not over what stands in it",
  lost: "something before it or in it was lost on the way from the camera, or not recorded, as was noted then",
  early: "it came before the first signature, and was not compared",
  amid: "what is here begins amid what the camera signed together",
  noSignature: "the camera's signature of it is not here",
  noMore: "no signature of the camera follows",
  isOver: "its signature stands behind the end of what is here",
  anew: "the camera began to sign anew, and did not sign it any more",
  elsewhere: "it does not stand where the camera signed it",
  unfollowed: "it does not follow what the camera signed before it",
  notAll: "some slices are of a kind that this camera does not sign",
  unvouched: "it is signed together with later pictures, which are not here as they were signed",
  reordered: "its pictures stand in another order than the camera signed",
  nothing: "none of it is what the camera signed",
  axis: "it has Axis Signed Video, which is not verified",
} as const;
