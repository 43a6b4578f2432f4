import { openCoordinator } from './coordinator.js';

/** Vitest's global set-up: runs once before all tests; what it gives runs after them. */
export default async function setup(): Promise<() => Promise<void>> {
  const coordinator = await openCoordinator();
  return () => coordinator.close();
}
