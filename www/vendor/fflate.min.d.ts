/** A ZIP archive of these files by their paths. */
export const zipSync: (files: Record<string, Uint8Array>, options?: { level?: number; mtime?: Date }) => Uint8Array<ArrayBuffer>;
