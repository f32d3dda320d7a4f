/** The recorded pictures by the numbers that the library gave them. They stay while anything may be undone. */

export class Album {
  /** @type {Map<number, { picture: Blob, address: string }>} */
  #pictures = new Map();

  /**
   * @param {number} example
   * @param {Blob} picture
   */
  add(example, picture) {
    this.#pictures.set(example, { picture, address: URL.createObjectURL(picture) });
  }

  /** @param {number} example @returns {Blob | null} null where the picture came from a file, which has embeddings only */
  picture(example) {
    return this.#pictures.get(example)?.picture ?? null;
  }

  /** @param {number} example @returns {string | null} an address for an image */
  address(example) {
    return this.#pictures.get(example)?.address ?? null;
  }

  clear() {
    for (const { address } of this.#pictures.values()) URL.revokeObjectURL(address);
    this.#pictures.clear();
  }
}
