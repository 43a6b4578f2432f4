/** Whether a process still runs, asked of real ones. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { ProcessIdentity } from '../../src/catalog/lease.js';
import { livenessOf, thisProcess } from '../../src/catalog/store-process.js';

const self = thisProcess();

function startOf(pid: number): string {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

function identity(pid: number): ProcessIdentity {
  return { ...self, pid, processStart: startOf(pid) };
}

describe.runIf(existsSync('/proc/self/stat'))('with /proc', () => {
  test('this process is known in full and alive', () => {
    expect(self.processStart).toBe(startOf(process.pid));
    expect(self.bootId).toMatch(/^[0-9a-f-]{36}$/);
    expect(self.pidNamespace).toMatch(/^pid:\[\d+\]$/);
    expect(livenessOf(self, self)).toBe('alive');
  });

  test('another one lives, stopped as well, until it ends', async () => {
    const child = spawn('sleep', ['60'], { stdio: 'ignore' });
    await once(child, 'spawn');
    const other = identity(child.pid ?? 0);
    expect(livenessOf(other, self)).toBe('alive');
    child.kill('SIGSTOP');
    expect(livenessOf(other, self)).toBe('alive');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(livenessOf(other, self)).toBe('gone');
  });

  test('a zombie is gone though its pid is taken', async () => {
    // The inner sleep ends at once; the outer one has become its parent and never asks.
    const child = spawn('sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const other = identity(Number(line.toString('utf8')));
    expect(livenessOf(other, self)).toBe('alive');
    await delay(600);
    expect(() => process.kill(other.pid, 0)).not.toThrow();
    expect(livenessOf(other, self)).toBe('gone');
    child.kill('SIGKILL');
    await once(child, 'exit');
  });

  test('the same pid with another start is another process', () => {
    expect(livenessOf({ ...self, processStart: '1' }, self)).toBe('gone');
  });

  test.each(['bootId', 'pidNamespace', 'processStart'] as const)(
    'nothing is known where %s is unknown, or of another machine',
    (field) => {
      expect(livenessOf({ ...self, [field]: null }, self)).toBe('unknown');
      if (field !== 'processStart') {
        expect(livenessOf({ ...self, pid: 2 ** 22 + 1, [field]: 'other' }, self)).toBe('unknown');
      }
    },
  );
});
