// The management controller asked through freeipmi's programs.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { newIpmi } from '../../../plugins/hardware/ipmi.ts';
import { type Answers, hostOf, playBack } from './programs.ts';

const NOW = 1_700_000_000_000;
const root = mkdtempSync(join(tmpdir(), 'outpost-ipmi-'));
mkdirSync(join(root, 'class/ipmi/ipmi0'), { recursive: true });
afterAll(() => rmSync(root, { recursive: true }));

const ANSWERS: Answers = {
  ipmimonitoring: {
    stdout:
      "4,CPU Temp,Temperature,Nominal,41.00,C,'OK'\n" +
      '5,Fan 1,Fan,Critical,0.00,RPM,x\n' +
      '6,Fan 2,Fan,Nominal,35.00,%,x\n' +
      '7,Inlet,Temperature,N/A,N/A,C,N/A\n' +
      "8,PSU,Power Supply,Warning,N/A,N/A,'Presence detected'\n" +
      '9,12V,Voltage,Nominal,12.10,V,x\n' +
      '10,Load,Power Supply,Nominal,180.00,W,x\n' +
      '11,PSU 1,Current,Nominal,0.80,A,x\n' +
      '12,Airflow,Other Units Based Sensor,Nominal,20.00,CFM,x\n',
  },
  'ipmi-dcmi': {
    stdout:
      'Current Power                        : 236 Watts\nPower Measurement                    : Active\n',
  },
  'ipmi-chassis': {
    stdout:
      'System Power                        : on\nDrive Fault                         : false\nCooling/fan fault                   : true\n',
  },
  'ipmi-sel': {
    stdout:
      'Number of log entries                 : 12\nFree space remaining                  : 14880 bytes\n',
  },
  'bmc-info': {
    stdout: 'Firmware Revision     : 3.45 (build)\nManufacturer ID       : Dell Inc. (674)\n',
  },
  'bmc-watchdog --get': {
    stdout:
      'Timer Use:                   SMS/OS\nTimer:                       Running\nLogging:                     Enabled\nTimeout Action:              Hard Reset\nPre-Timeout Interrupt:       None\nPre-Timeout Interval:        0 seconds\nInitial Countdown:           60 seconds\nCurrent Countdown:           59 seconds\n',
  },
};

const ask = async (answers: Answers, options: object = {}, sysfs = root) => {
  const asked: string[] = [];
  const host = hostOf(newIpmi(playBack(answers, asked)), {
    roots: { sysfs },
    collectors: { ipmi: { enabled: true, options: { ...options } } },
  });
  const text = await host.collect(NOW);
  host.close();
  return { asked, failures: host.failures.map(({ message }) => message), lines: text.split('\n') };
};

describe('the management controller', () => {
  it("is exposed under ipmi_exporter's names", async () => {
    const { lines, failures } = await ask(ANSWERS);
    expect(failures).toEqual([]);
    expect(lines.filter(line => line.startsWith('ipmi_'))).toEqual([
      'ipmi_bmc_info{bmc_url="N/A",firmware_revision="3.45",manufacturer_id="Dell Inc. (674)",system_firmware_version="N/A"} 1',
      'ipmi_chassis_cooling_fault_state 0',
      'ipmi_chassis_drive_fault_state 1',
      'ipmi_chassis_power_state 1',
      'ipmi_current_amperes{id="11",name="PSU 1"} 0.8',
      'ipmi_current_state{id="11",name="PSU 1"} 0',
      'ipmi_dcmi_power_consumption_watts 236',
      'ipmi_fan_speed_ratio{id="6",name="Fan 2"} 0.35000000000000003',
      'ipmi_fan_speed_rpm{id="5",name="Fan 1"} 0',
      'ipmi_fan_speed_state{id="5",name="Fan 1"} 2',
      'ipmi_fan_speed_state{id="6",name="Fan 2"} 0',
      'ipmi_power_state{id="10",name="Load"} 0',
      'ipmi_power_watts{id="10",name="Load"} 180',
      'ipmi_sel_free_space_bytes 14880',
      'ipmi_sel_logs_count 12',
      'ipmi_sensor_state{id="12",name="Airflow",type="Other Units Based Sensor"} 0',
      'ipmi_sensor_state{id="8",name="PSU",type="Power Supply"} 1',
      'ipmi_sensor_value{id="12",name="Airflow",type="Other Units Based Sensor"} 20',
      'ipmi_temperature_celsius{id="4",name="CPU Temp"} 41',
      'ipmi_temperature_state{id="4",name="CPU Temp"} 0',
      'ipmi_voltage_state{id="9",name="12V"} 0',
      'ipmi_voltage_volts{id="9",name="12V"} 12.1',
    ]);
  });

  it('is asked for its watchdog where that is wanted', async () => {
    const { lines } = await ask(ANSWERS, { watchdog: true, sensors: false });
    expect(
      lines.filter(line => line.startsWith('ipmi_bmc_watchdog') && !line.endsWith(' 0')),
    ).toEqual([
      'ipmi_bmc_watchdog_current_countdown_seconds 59',
      'ipmi_bmc_watchdog_initial_countdown_seconds 60',
      'ipmi_bmc_watchdog_logging_state 1',
      'ipmi_bmc_watchdog_pretimeout_interrupt_state{interrupt="None"} 1',
      'ipmi_bmc_watchdog_timeout_action_state{action="Hard Reset"} 1',
      'ipmi_bmc_watchdog_timer_state 1',
      'ipmi_bmc_watchdog_timer_use_state{name="SMS/OS"} 1',
    ]);
    expect(lines.join()).not.toContain('ipmi_temperature');
  });

  it('may lack power measurement and log', async () => {
    const none = { code: 1, stderr: 'command not supported' };
    const { lines, failures } = await ask({ ...ANSWERS, 'ipmi-dcmi': none, 'ipmi-sel': none });
    expect(failures).toEqual([]);
    expect(lines).toContain('ipmi_chassis_power_state 1');
  });

  it('that does not answer is told', async () => {
    const { failures } = await ask({ ...ANSWERS, ipmimonitoring: { code: 1, stderr: 'timeout' } });
    expect(failures).toEqual(['timeout']);
  });

  it('is not asked where there is none, nor without programs or rights', async () => {
    expect(await ask(ANSWERS, {}, '/nonexistent')).toMatchObject({ asked: [], failures: [] });
    expect(await ask({})).toMatchObject({ asked: [expect.any(String)], failures: [] });
    const denied = { ipmimonitoring: { code: 1, stderr: 'ipmimonitoring: permission denied' } };
    expect(await ask(denied)).toMatchObject({ asked: [expect.any(String)], failures: [] });
  });
});
