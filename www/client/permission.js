/** Whether the visitor allows the camera, as far as the browser tells. */

/**
 * The state now, and every change of it: it can be taken back in the browser's settings at any time.
 *
 * @param {(state: PermissionState) => void} onChange
 * @returns {Promise<PermissionState | null>} null where the browser does not say: Firefox before version 132 (2024)
 */
export async function watchCameraPermission(onChange) {
  const name = /** @type {PermissionName} */ ("camera");
  const status = await navigator.permissions?.query({ name }).catch(() => null);
  if (!status) return null;
  status.addEventListener?.("change", () => onChange(status.state));
  return status.state;
}
