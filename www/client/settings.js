/** What the visitor chose, remembered in this browser where it allows that. */

const PREFIX = "lsspq.";

/**
 * @param {string} name
 * @param {string} otherwise where nothing was chosen
 */
export function recall(name, otherwise) {
  try {
    return localStorage.getItem(PREFIX + name) ?? otherwise;
  } catch {
    return otherwise;
  }
}

/**
 * @param {string} name
 * @param {string} value
 */
export function remember(name, value) {
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch {
    // Then it holds for this visit.
  }
}

/**
 * Makes a select remember its choice.
 *
 * @param {HTMLSelectElement} select
 * @param {string} name
 * @param {(value: string) => void} use is called now and at every change
 */
export function rememberChoice(select, name, use) {
  const known = recall(name, select.value);
  if ([...select.options].some((option) => option.value === known)) select.value = known;
  select.addEventListener("change", () => {
    remember(name, select.value);
    use(select.value);
  });
  use(select.value);
}
