-- What carries SPDM: over TCP (DSP0287), over MCTP (DSP0275, DSP0276), and PCIe DOE. Each is a row: how its records look,
-- how a message inside of a record begins, and a function that takes the packet's own head off.

local carriers = {}

local carried = { [0x05] = "SPDM", [0x06] = "secured message", [0xBF] = "role inquiry", [0xC0] = "error: too large",
                  [0xC1] = "error: not supported", [0xC2] = "error: no requester here", [0xC3] = "error: no responder here" }

local f_tcp_length = W.field("uint16", "tcp.length", "length")
local f_tcp_version = W.field("uint8", "tcp.version", "binding version")
local f_tcp_type = W.field("uint8", "tcp.type", "message type", base.HEX, carried)

-- Head of DSP0287: type and where the body is, or nothing if it is wrong.
local function tcp_head(tvb, at, stop, tree)
  if at + T.tcp_head > stop then
    W.cut(tree, tvb, at, stop)
    return nil
  end
  local length, type = tvb(at, 2):le_uint(), tvb(at + 3, 1):uint()
  local has_body = type == T.carried_clear or type == T.carried_secured
  tree:add_le(f_tcp_length, tvb(at, 2))
  local version = tree:add(f_tcp_version, tvb(at + 2, 1))
  local shown = tree:add(f_tcp_type, tvb(at + 3, 1))
  if tvb(at + 2, 1):uint() ~= 1 then
    version:add_proto_expert_info(W.value, "another version of the binding")
  end
  if not carried[type] then
    shown:add_proto_expert_info(W.value, "no type of message that is known")
  elseif has_body and length <= 2 or not has_body and length ~= 0 then
    shown:add_proto_expert_info(W.value, "a length that this type of message does not have")
  end
  return type, at + T.tcp_head, at + 2 + math.max(length, 2)
end

local function end_of(tree, tvb, told, stop)
  if told < stop then
    W.add_rest(tree, tvb, told, stop):add_proto_expert_info(W.trailing)
  elseif told > stop then
    tree:add_proto_expert_info(W.short)
  end
  return math.min(told, stop)
end

carriers.tcp = { name = "SPDM over TCP (DSP0287)", sequence = T.sequence_tcp, pad = 0 }

-- One message. is_opened: of the packet's records; nil: it stands in a record, which holds no others.
local function tcp_message(tvb, at, stop, pinfo, tree, key, is_opened)
  local type, body, last = tcp_head(tvb, at, stop, tree)
  if not type then
    return "message, cut"
  end
  last = end_of(tree, tvb, last, stop)
  if type == T.carried_clear and body < last then
    return S.message(tvb, body, last, pinfo, tree, key, 0)
  elseif type == T.carried_secured and body < last and is_opened ~= nil then
    return S.record(tvb, body, last, pinfo, tree, key, carriers.tcp, is_opened)
  end
  W.add_rest(tree, tvb, body, last)
  return carried[type] or "message of an unknown type"
end

carriers.tcp.inside = tcp_message

function carriers.tcp.packet(tvb, pinfo, tree, key, is_opened)
  return tcp_message(tvb, 0, tvb:len(), pinfo, tree, key, is_opened)
end

-- ---- MCTP ----

local f_mctp_version = W.field("uint8", "mctp.version", "header version", base.DEC, nil, 0x0F)
local f_mctp_to = W.field("uint8", "mctp.destination", "destination endpoint", base.HEX)
local f_mctp_from = W.field("uint8", "mctp.source", "source endpoint", base.HEX)
local f_mctp_flags = W.field("uint8", "mctp.flags", "start, end, sequence, owner, tag", base.HEX)
local f_mctp_check = W.field("bool", "mctp.integrity_check", "integrity check", 8, nil, 0x80)
local f_mctp_type = W.field("uint8", "mctp.type", "message type", base.HEX, carried, 0x7F)

carriers.mctp = { name = "SPDM over MCTP (DSP0275)", sequence = T.sequence_mctp, pad = 0 }

function carriers.mctp.inside(tvb, at, stop, pinfo, tree, key)
  tree:add(f_mctp_check, tvb(at, 1))
  tree:add(f_mctp_type, tvb(at, 1))
  if band(tvb(at, 1):uint(), 0x7F) ~= T.carried_clear or at + 1 == stop or tvb(at + 1, 1):bitfield(0, 4) ~= 1 then
    W.add_rest(tree, tvb, at + 1, stop)
    return "application data of another type"
  end
  return S.message(tvb, at + 1, stop, pinfo, tree, key, 0)
end

function carriers.mctp.packet(tvb, pinfo, tree, key, is_opened)
  if tvb:len() < 5 then
    W.cut(tree, tvb, 0, tvb:len())
    return "packet, cut"
  end
  for i, f in ipairs { f_mctp_version, f_mctp_to, f_mctp_from, f_mctp_flags, f_mctp_check } do
    tree:add(f, tvb(i - 1, 1))
  end
  tree:add(f_mctp_type, tvb(4, 1))
  local type = band(tvb(4, 1):uint(), 0x7F)
  if tvb:len() == 5 then
    tree:add_proto_expert_info(W.short)
  elseif type == T.carried_clear then
    return S.message(tvb, 5, tvb:len(), pinfo, tree, key, 0)
  elseif type == T.carried_secured then
    return S.record(tvb, 5, tvb:len(), pinfo, tree, key, carriers.mctp, is_opened)
  end
  W.add_rest(tree, tvb, 5, tvb:len())
  return "message of another type"
end

-- ---- PCIe DOE ----

local f_doe_vendor = W.field("uint16", "doe.vendor", "vendor", base.HEX)
local f_doe_type = W.field("uint8", "doe.type", "object type", base.HEX, { [1] = "SPDM", [2] = "secured message" })
local f_doe_reserved = W.field("uint8", "doe.reserved", "reserved")
local f_doe_dwords = W.field("uint32", "doe.length", "length in dwords")

carriers.doe = { name = "SPDM over PCIe DOE", sequence = 0, pad = 3 }

function carriers.doe.inside(tvb, at, stop, pinfo, tree, key)
  if tvb(at, 1):bitfield(0, 4) == 1 then
    return S.message(tvb, at, stop, pinfo, tree, key, 3)
  end
end

function carriers.doe.packet(tvb, pinfo, tree, key, is_opened)
  if tvb:len() < 8 then
    W.cut(tree, tvb, 0, tvb:len())
    return "object, cut"
  end
  local vendor, type, dwords = tvb(0, 2):le_uint(), tvb(2, 1):uint(), tvb(4, 4):le_uint()
  tree:add_le(f_doe_vendor, tvb(0, 2))
  tree:add(f_doe_type, tvb(2, 1))
  tree:add(f_doe_reserved, tvb(3, 1))
  tree:add_le(f_doe_dwords, tvb(4, 4))
  if (dwords == 0 and 2 ^ 18 or dwords) * 4 ~= tvb:len() then
    tree:add_proto_expert_info(W.value, "the length is not the packet's")
  end
  if tvb:len() == 8 then
    return "object without bytes"
  elseif vendor == 1 and type == 1 then
    return S.message(tvb, 8, tvb:len(), pinfo, tree, key, 3)
  elseif vendor == 1 and type == 2 then
    return S.record(tvb, 8, tvb:len(), pinfo, tree, key, carriers.doe, is_opened)
  end
  W.add_rest(tree, tvb, 8, tvb:len())
  return "object of another type"
end
